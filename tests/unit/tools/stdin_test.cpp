#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>

#include "common/stdio.hpp"
#include "support/temp_directory.hpp"
#include "unit/tools/descriptors.hpp"

namespace mq {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct StdinTest : testing::Test {
  mqtt::net::Loop loop;
  test::Patience patience{loop};
  std::string received;
  std::vector<std::size_t> slices;
  std::vector<std::string> events;
  std::size_t appetite = 1 << 30;  // bytes to take of each slice

  Stdin::Callbacks callbacks() {
    return {.on_data = [this](mqtt::Bytes bytes) { return take(bytes); },
            .on_end = [this] { note("end"); },
            .on_error = [this](const mqtt::Error& error) { note(error.context); }};
  }
  std::size_t take(mqtt::Bytes bytes) {
    slices.push_back(bytes.size());
    const std::size_t taken = std::min(appetite, bytes.size());
    received += mqtt::as_text(bytes.first(taken));
    if (taken < bytes.size()) loop.stop();
    return taken;
  }
  void note(std::string event) {
    events.push_back(std::move(event));
    loop.stop();
  }
  test::Fd file_with(const std::string& content) {
    const mqtt::test::TempDirectory directory;
    return test::Fd{::open(directory.write("in", content).c_str(), O_RDONLY | O_CLOEXEC)};
  }
};

TEST_F(StdinTest, PipeIsReadToItsEnd) {
  test::Pair pipe = test::make_pipe();
  Stdin in{loop, callbacks(), pipe.out.get()};
  in.resume();
  pipe.in.write(std::string_view{"a\0b", 3});
  pipe.in.close();
  loop.run();
  EXPECT_EQ(received, std::string("a\0b", 3));
  EXPECT_THAT(events, ElementsAre("end"));
}

TEST_F(StdinTest, NothingIsReadBeforeResume) {
  test::Pair pipe = test::make_pipe();
  pipe.in.write("early");
  Stdin in{loop, callbacks(), pipe.out.get()};
  EXPECT_TRUE(in.paused());
  mqtt::net::Timer later{loop, [this] { loop.stop(); }};
  later.set(loop.now() + std::chrono::milliseconds{5});
  loop.run();
  EXPECT_EQ(received, "");
  in.resume();
  pipe.in.close();
  loop.run();
  EXPECT_EQ(received, "early");
}

TEST_F(StdinTest, SharedDescriptionStaysBlocking) {
  test::Pair pipe = test::make_pipe();
  Stdin in{loop, callbacks(), pipe.out.get()};
  in.resume();
  EXPECT_EQ(::fcntl(pipe.out.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(StdinTest, FileComesInSlicesWithTurnsBetween) {
  const std::string content(5 * Stdin::slice_bytes + 7, 'f');
  const test::Fd file = file_with(content);
  Stdin in{loop, callbacks(), file.get()};
  in.resume();
  std::vector<std::size_t> seen_per_turn;
  mqtt::net::TurnEnd turn{loop, [] {}};
  mqtt::net::Timer each{loop, [&] {
                          seen_per_turn.push_back(slices.size());
                          if (events.empty()) each.set(loop.refresh_now());
                        }};
  each.set(loop.now());
  loop.run();
  EXPECT_EQ(received, content);
  EXPECT_EQ(slices.size(), 6u);
  for (std::size_t i = 1; i < seen_per_turn.size(); ++i)
    EXPECT_LE(seen_per_turn[i] - seen_per_turn[i - 1], 1u);
  EXPECT_THAT(events, ElementsAre("end"));
}

TEST_F(StdinTest, WhatIsNotTakenPausesAndComesAgain) {
  for (const bool from_file : {false, true}) {
    received.clear(), events.clear(), slices.clear();
    test::Pair pipe = test::make_pipe();
    const test::Fd file = file_with("0123456789");
    pipe.in.write("0123456789");
    pipe.in.close();
    Stdin in{loop, callbacks(), from_file ? file.get() : pipe.out.get()};
    appetite = 4;
    while (events.empty() && !patience.ran_out()) {
      in.resume();
      loop.run();
    }
    EXPECT_EQ(received, "0123456789");
    EXPECT_THAT(slices, ElementsAre(10, 6, 2));
    EXPECT_THAT(events, ElementsAre("end"));
  }
}

TEST_F(StdinTest, PausedInsideACallbackStaysQuiet) {
  test::Pair pipe = test::make_pipe();
  std::unique_ptr<Stdin> in;
  Stdin::Callbacks quiet = callbacks();
  quiet.on_data = [&](mqtt::Bytes bytes) {
    slices.push_back(bytes.size());
    in->pause();
    return bytes.size();
  };
  in = std::make_unique<Stdin>(loop, quiet, pipe.out.get());
  in->resume();
  pipe.in.write("a");
  mqtt::net::Timer later{loop, [this] { loop.stop(); }};
  later.set(loop.now() + std::chrono::milliseconds{5});
  loop.run();
  pipe.in.write("b");
  later.set(loop.refresh_now() + std::chrono::milliseconds{5});
  loop.run();
  EXPECT_THAT(slices, ElementsAre(1));
}

TEST_F(StdinTest, NullDeviceIsEmpty) {
  const test::Fd null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  Stdin in{loop, callbacks(), null.get()};
  in.resume();
  loop.run();
  EXPECT_EQ(received, "");
  EXPECT_THAT(events, ElementsAre("end"));
}

TEST_F(StdinTest, ClosedInputIsAnError) {
  const test::Fd placeholder{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Stdin in{loop, callbacks(), placeholder.get()};
  in.resume();
  loop.run();
  EXPECT_THAT(events, ElementsAre("standard input is closed"));
}

TEST_F(StdinTest, DirectoryIsAnError) {
  const test::Fd directory{::open("/", O_RDONLY | O_CLOEXEC)};
  Stdin in{loop, callbacks(), directory.get()};
  in.resume();
  loop.run();
  EXPECT_THAT(events, ElementsAre("cannot read standard input: Is a directory"));
}

TEST_F(StdinTest, SocketIsRead) {
  test::Pair sockets = test::make_socket_pair();
  Stdin in{loop, callbacks(), sockets.out.get()};
  in.resume();
  sockets.in.write("abc");
  sockets.in.close();
  loop.run();
  EXPECT_EQ(received, "abc");
  EXPECT_THAT(events, ElementsAre("end"));
}

TEST(ReadFile, TakesFilesAndFifosWhole) {
  const mqtt::test::TempDirectory directory;
  std::string content(200'000, 'z');
  content[5] = '\0';
  EXPECT_EQ(*read_file(directory.write("file", content), 200'000), content);
  const std::string fifo = directory.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::ofstream{fifo} << "from a fifo";
    ::_exit(0);
  }
  EXPECT_EQ(*read_file(fifo, 100), "from a fifo");
  ::waitpid(child, nullptr, 0);
}

TEST(ReadFile, SaysWhatIsWrong) {
  EXPECT_EQ(read_file("/no/such", 10).error().context, "cannot open '/no/such': No such file or directory");
  EXPECT_EQ(read_file("/", 10).error().context, "cannot read '/': Is a directory");
  const mqtt::test::TempDirectory directory;
  const std::string path = directory.write("long", "12345678901");
  EXPECT_EQ(read_file(path, 10).error().code, EFBIG);
  EXPECT_EQ(read_file(path, 11).value(), "12345678901");
}

/// In a child, so that the test's own descriptors stay.
int exit_status_of(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ReserveStandardDescriptors, MakesEveryUseOfAClosedOneFail) {
  for (const int victim : {0, 1, 2})
    EXPECT_EQ(exit_status_of([victim] {
                ::close(victim);
                reserve_standard_descriptors();
                if (::open("/dev/null", O_RDWR) == victim) return 1;
                char c = 0;
                const ssize_t used = victim == 0 ? ::read(0, &c, 1) : ::write(victim, &c, 1);
                return used == -1 && errno == EBADF ? 0 : 2;
              }),
              0)
        << victim;
  EXPECT_EQ(exit_status_of([] {
              for (const int fd : {0, 1, 2}) ::close(fd);
              reserve_standard_descriptors();
              return ::open("/dev/null", O_RDWR) > 2 ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace mq
