#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>

#include <cerrno>

#include "common/stdio.hpp"
#include "support/temp_directory.hpp"
#include "unit/tools/descriptors.hpp"

namespace mq {
namespace {

struct StdoutTest : testing::Test {
  mqtt::net::Loop loop;
  test::Patience patience{loop};
  std::vector<std::string> events;

  Stdout::Callbacks callbacks() {
    return {.on_drained = [this] { note("drained"); },
            .on_closed = [this] { note("closed"); },
            .on_error = [this](const mqtt::Error& error) { note(error.context); }};
  }
  void note(std::string event) {
    events.push_back(std::move(event));
    loop.stop();
  }
};

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(StdoutTest, OneWritePerFlush) {
  test::Pair pipe = test::make_pipe();
  Stdout out{loop, callbacks(), pipe.in.get()};
  out.append("one\n");
  out.buffer() += "two\n";
  EXPECT_EQ(out.position(), 8u);
  EXPECT_EQ(out.written(), 0u);
  out.flush();
  EXPECT_EQ(out.written(), 8u);
  EXPECT_EQ(pipe.out.read_some(), "one\ntwo\n");
  EXPECT_FALSE(out.is_terminal());
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(StdoutTest, FullPipeBlocksAndDrains) {
  test::Pair pipe = test::make_pipe();
  Stdout out{loop, callbacks(), pipe.in.get()};
  const std::string text(300'000, 'x');
  out.append(text);
  out.flush();
  EXPECT_TRUE(out.blocked());
  EXPECT_GT(out.written(), 0u);
  EXPECT_EQ(out.written() + out.pending(), text.size());
  std::string received;
  while (events.empty() && !patience.ran_out()) {
    received += pipe.out.read_some();
    mqtt::net::Timer turn{loop, [this] { loop.stop(); }};
    turn.set(loop.refresh_now());
    loop.run();
  }
  received += pipe.out.read_some();
  EXPECT_EQ(received, text);
  EXPECT_FALSE(out.blocked());
  EXPECT_THAT(events, ElementsAre("drained"));
}

TEST_F(StdoutTest, SharedDescriptionStaysBlocking) {
  test::Pair pipe = test::make_pipe();
  Stdout out{loop, callbacks(), pipe.in.get()};
  out.append(std::string(300'000, 'x'));
  out.flush();
  EXPECT_TRUE(out.blocked());
  EXPECT_EQ(::fcntl(pipe.in.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(StdoutTest, ReaderThatLeavesIsNoticedWhileIdle) {
  test::Pair pipe = test::make_pipe();
  Stdout out{loop, callbacks(), pipe.in.get()};
  pipe.out.close();
  loop.run();
  EXPECT_THAT(events, ElementsAre("closed"));
  EXPECT_TRUE(out.failed());
  out.append("more");
  out.flush();
  EXPECT_EQ(out.pending(), 0u);
  EXPECT_THAT(events, ElementsAre("closed"));
}

TEST_F(StdoutTest, ReaderThatLeavesIsNoticedByAWrite) {
  test::Pair pipe = test::make_pipe();
  Stdout out{loop, callbacks(), pipe.in.get()};
  pipe.out.close();
  out.append("x");
  out.flush();
  EXPECT_THAT(events, ElementsAre("closed"));
}

TEST_F(StdoutTest, ReaderThatLeavesAFullPipeIsNoticed) {
  test::Pair pipe = test::make_pipe();
  Stdout out{loop, callbacks(), pipe.in.get()};
  out.append(std::string(300'000, 'x'));
  out.flush();
  pipe.out.close();
  loop.run();
  EXPECT_THAT(events, ElementsAre("closed"));
}

TEST_F(StdoutTest, FullDeviceIsAnErrorOnce) {
  const test::Fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  Stdout out{loop, callbacks(), full.get()};
  for (int i = 0; i < 2; ++i) {
    out.append("x");
    out.flush();
  }
  EXPECT_THAT(events, ElementsAre("cannot write to standard output: No space left on device"));
  EXPECT_EQ(out.written(), 0u);
  EXPECT_TRUE(out.failed());
}

TEST_F(StdoutTest, ClosedDescriptorIsAnErrorAndNotAReaderThatLeft) {
  const test::Fd placeholder{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  Stdout out{loop, callbacks(), placeholder.get()};
  out.append("x");
  out.flush();
  EXPECT_THAT(events, ElementsAre("cannot write to standard output: Bad file descriptor"));
}

TEST_F(StdoutTest, FileTakesEverythingAtOnce) {
  const mqtt::test::TempDirectory directory;
  const std::string path = directory.file("out");
  const test::Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  Stdout out{loop, callbacks(), file.get()};
  const std::string text(3'000'000, 'y');
  out.append(text);
  EXPECT_TRUE(out.blocked());  // above the high water mark
  out.flush();
  EXPECT_FALSE(out.blocked());
  EXPECT_EQ(*read_file(path, 4'000'000), text);
  EXPECT_THAT(events, ElementsAre("drained"));
}

TEST_F(StdoutTest, SocketIsWrittenWithoutWaitingAndItsPeerIsWatched) {
  test::Pair sockets = test::make_socket_pair();
  Stdout out{loop, callbacks(), sockets.in.get()};
  out.append(std::string(5'000'000, 'x'));
  out.flush();
  EXPECT_TRUE(out.blocked());
  EXPECT_EQ(::fcntl(sockets.in.get(), F_GETFL) & O_NONBLOCK, 0);
  sockets.out.close();
  loop.run();
  EXPECT_THAT(events, ElementsAre("closed"));
}

TEST_F(StdoutTest, HalfClosedSocketIsStillWritten) {
  test::Pair sockets = test::make_socket_pair();
  Stdout out{loop, callbacks(), sockets.in.get()};
  ::shutdown(sockets.out.get(), SHUT_WR);
  mqtt::net::Timer later{loop, [this] { loop.stop(); }};
  later.set(loop.now() + std::chrono::milliseconds{5});
  loop.run();
  out.append("still here");
  out.flush();
  EXPECT_EQ(sockets.out.read_some(), "still here");
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(StdoutTest, TerminalIsOne) {
  int master = -1, slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  test::Fd near{master};
  const test::Fd far{slave};
  Stdout out{loop, callbacks(), far.get()};
  EXPECT_TRUE(out.is_terminal());
  out.append("x\n");
  out.flush();
  EXPECT_EQ(near.read_some(), "x\r\n");
  near.close();
  loop.run();
  EXPECT_THAT(events, ElementsAre("closed"));
}

TEST_F(StdoutTest, StopWatchingLetsTheLoopEnd) {
  test::Pair pipe = test::make_pipe();
  mqtt::net::Loop own;
  Stdout out{own, callbacks(), pipe.in.get()};
  out.stop_watching();
  own.run();
  SUCCEED();
}

TEST(NonBlockingFd, WithoutProcWritesInSmallPiecesAndNeverWaits) {
  test::Pair pipe = test::make_pipe();
  const NonBlockingFd fd{pipe.in.get(), FdAccess::write, Reopen::never};
  const std::string text(1 << 20, 'x');
  std::size_t written = 0;
  std::ptrdiff_t count = 0;
  while ((count = fd.write(mqtt::as_bytes(text))) > 0) written += static_cast<std::size_t>(count);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_GE(written, 60'000u);
  EXPECT_EQ(pipe.out.read_some().size(), written);
  EXPECT_EQ(::fcntl(pipe.in.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(NonBlockingFd, WithoutProcReadsOnlyWhatIsThere) {
  test::Pair pipe = test::make_pipe();
  const NonBlockingFd fd{pipe.out.get(), FdAccess::read, Reopen::never};
  std::array<std::uint8_t, 16> into;
  EXPECT_EQ(fd.read(into), -1);
  EXPECT_EQ(errno, EAGAIN);
  pipe.in.write("abc");
  EXPECT_EQ(fd.read(into), 3);
  pipe.in.close();
  EXPECT_EQ(fd.read(into), 0);
}

}  // namespace
}  // namespace mq
