// What StreamTest, which runs over carried streams too, cannot ask: bounds, ends at any moment, and the order
// of many messages.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include <mqtt/net/carried_stream.hpp>
#include <mqtt/net/listener.hpp>
#include <mqtt/net/uv_stream.hpp>
#include <unit/net/fake_stream.hpp>
#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

/// A stream of the test's loop, at one end of a pair of sockets, and one that `thread` carries at the other.
class CarriedStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    const auto name = std::make_shared<const std::string>("pair");
    peer_ = std::make_unique<UvStream>(adopt_unix_socket(loop_, OwnedFd{ends[0]}, name).value());
    carried_ = carry(*thread_, "pair", {}, [fd = OwnedFd{ends[1]}, name](Loop& loop) mutable {
      auto socket = adopt_unix_socket(loop, std::move(fd), name);
      return Result<std::unique_ptr<ByteStream>>{std::make_unique<UvStream>(std::move(*socket))};
    });
  }

  /// Until the thread has done what was posted up to now.
  void await_thread() {
    bool done = false;
    thread_->begin_use();
    thread_->post([&](Bytes) { thread_->post_home([&](Bytes) { done = true; }); });
    ASSERT_TRUE(run_until(loop_, [&] { return done; }));
    thread_->end_use();
  }

  /// Writes until nothing more is taken for good; returns how much that was.
  std::size_t fill(ByteStream& stream) {
    const std::string text(100'000, 'x');
    std::size_t total = 0, before = 0;
    do {
      before = total;
      static_cast<void>(run_until(
          loop_,
          [&] {
            total += write_text(stream, text).value_or(0);
            return false;
          },
          50ms));
    } while (total != before);
    return total;
  }

  Loop loop_;
  std::unique_ptr<LoopThread> thread_ = LoopThread::start(loop_).value();
  std::unique_ptr<ByteStream> peer_, carried_;
  Recorder told_, heard_;  // by the peer, by the test
};

TEST_F(CarriedStreamTest, TakesNoMoreThanItsBoundBeyondWhatTheSocketTakes) {
  EXPECT_EQ(write_text(*carried_, std::string(10 * carried_max, 'x')).value(), carried_max);
  EXPECT_EQ(write_text(*carried_, "x").value(), 0u);
  carried_->set_handler(&heard_);
  ASSERT_TRUE(run_until(loop_, [&] { return heard_.writable_calls == 1; }));
}

TEST_F(CarriedStreamTest, APeerThatDoesNotReadStopsTheWriterWithinTheBound) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  const OwnedFd other{ends[1]};
  UvStream plain{adopt_unix_socket(loop_, OwnedFd{ends[0]}, nullptr).value()};
  Recorder nobody;
  plain.set_handler(&nobody);
  carried_->set_handler(&heard_);
  const std::size_t alone = fill(plain);
  EXPECT_LE(fill(*carried_), alone + carried_max + 64 * 1024);  // the kernel's share is not exact
}

TEST_F(CarriedStreamTest, AHandlerThatDoesNotReadStopsThePeerWithinTheBound) {
  carried_->set_handler(&heard_);
  carried_->pause_reading();
  Recorder nobody;
  peer_->set_handler(&nobody);
  const std::size_t sent = fill(*peer_);
  EXPECT_EQ(heard_.data_calls, 0u);
  EXPECT_GE(loop_.chunks().waiting_bytes(), carried_max) << "what has come is accounted for";
  carried_->resume_reading();
  heard_.after_data = [&] { carried_->pause_reading(); };
  ASSERT_TRUE(run_until(loop_, [&] { return heard_.data_calls == 1; }));
  EXPECT_LT(heard_.data.size(), carried_max + Loop::read_buffer_bytes);
  while (heard_.data.size() < sent) {
    const std::size_t calls = heard_.data_calls;
    carried_->resume_reading();
    ASSERT_TRUE(run_until(loop_, [&] { return heard_.data_calls > calls; }));
  }
  EXPECT_EQ(heard_.data.size(), sent);
  EXPECT_EQ(loop_.chunks().waiting_bytes(), 0u);
}

TEST_F(CarriedStreamTest, WhatHasNotLeftIsAccountedForAndItsEndIsTold) {
  carried_->set_handler(&heard_);
  fill(*carried_);
  EXPECT_FALSE(carried_->has_left());
  EXPECT_GE(loop_.chunks().waiting_bytes(), carried_max / 2);
  EXPECT_LE(loop_.chunks().waiting_bytes(), carried_max);
  carried_->shutdown();
  bool told = false;
  heard_.after_writable = [&] { told = carried_->has_left(); };
  await_thread();
  EXPECT_FALSE(told) << "the peer has read nothing";
  peer_->set_handler(&told_);
  ASSERT_TRUE(run_until(loop_, [&] { return told && told_.ends == 1; }));
  EXPECT_EQ(loop_.chunks().waiting_bytes(), 0u);
}

TEST_F(CarriedStreamTest, ClosedBeforeAllHasLeftItIsReset) {
  std::unique_ptr<ByteStream> accepted;
  ListenOptions options;
  options.threads = {thread_.get()};
  const auto listener =
      Listener::open(loop_, options, [&](auto stream) { accepted = std::move(stream); }, [](const Error&) {});
  const auto client = open_now(loop_, tcp_target((*listener)->port())).value();
  ASSERT_TRUE(run_until(loop_, [&] { return accepted != nullptr; }));
  accepted->set_handler(&heard_);
  fill(*accepted);
  accepted.reset();
  EXPECT_EQ(loop_.chunks().waiting_bytes(), 0u);
  client->set_handler(&told_);
  ASSERT_TRUE(run_until(loop_, [&] { return told_.over(); }));
  EXPECT_EQ(told_.ends, 0u) << "not an orderly end: there was more";
}

TEST_F(CarriedStreamTest, ThousandsOfMessagesKeepTheirOrderBothWays) {
  std::string text;
  for (int number = 0; number < 50'000; ++number) text += std::to_string(number) + ' ';
  Sender ours{text}, theirs{text};
  heard_.after_writable = [&] { ours.send(*carried_); };
  told_.after_writable = [&] { theirs.send(*peer_); };
  carried_->set_handler(&heard_);
  peer_->set_handler(&told_);
  for (std::size_t at = 0; at < 1000; ++at) ASSERT_EQ(write_text(*carried_, "ab").value(), 2u);
  ours.send(*carried_);
  theirs.send(*peer_);
  ASSERT_TRUE(run_until(
      loop_, [&] { return heard_.data.size() >= text.size() && told_.data.size() >= text.size() + 2000; }));
  EXPECT_TRUE(heard_.data == text);
  EXPECT_TRUE(told_.data.substr(2000) == text);
}

TEST_F(CarriedStreamTest, HalfClosedItStillReadsAndThePeerHearsEverything) {
  carried_->set_handler(&heard_);
  peer_->set_handler(&told_);
  const std::string text(carried_max, 'x');
  ASSERT_EQ(write_text(*carried_, text).value(), text.size());
  carried_->shutdown();
  EXPECT_EQ(write_text(*carried_, "x").error().code, EPIPE);
  ASSERT_TRUE(run_until(loop_, [&] { return told_.ends == 1; }));
  EXPECT_TRUE(told_.data == text);
  EXPECT_EQ(heard_.ends, 0u);
  ASSERT_EQ(write_text(*peer_, "late").value(), 4u);
  peer_->shutdown();
  ASSERT_TRUE(run_until(loop_, [&] { return heard_.ends == 1; }));
  EXPECT_EQ(heard_.data, "late");
  EXPECT_TRUE(carried_->may_just_close());
}

TEST_F(CarriedStreamTest, ClosesAtOnceOnlyWhenAllHasLeft) {
  carried_->set_handler(&heard_);
  peer_->set_handler(&told_);
  ASSERT_EQ(write_text(*carried_, "x").value(), 1u);
  EXPECT_FALSE(carried_->may_just_close());
  ASSERT_TRUE(run_until(loop_, [&] { return told_.data == "x"; }));
  ASSERT_EQ(write_text(*peer_, "y").value(), 1u);
  ASSERT_TRUE(run_until(loop_, [&] { return heard_.data == "y"; }));
  EXPECT_TRUE(carried_->may_just_close());
}

TEST_F(CarriedStreamTest, AStreamThatCannotBeMadeIsAnError) {
  const auto none = carry(*thread_, "nobody", {}, [](Loop&) -> Result<std::unique_ptr<ByteStream>> {
    return fail(ErrorDomain::system, EMFILE, "no socket");
  });
  Recorder recorder;
  none->set_handler(&recorder);
  ASSERT_TRUE(run_until(loop_, [&] { return recorder.over(); }));
  ASSERT_EQ(recorder.errors.size(), 1u);
  EXPECT_EQ(recorder.errors[0].context, "no socket");
  EXPECT_EQ(write_text(*none, "x").error().context, "no socket");
}

TEST_F(CarriedStreamTest, AWriteThatFailsLaterIsToldAndReadingGoesOn) {
  carried_->set_handler(&heard_);
  ASSERT_EQ(write_text(*peer_, "last words").value(), 10u);
  peer_->close();
  ASSERT_TRUE(run_until(loop_, [&] { return !write_text(*carried_, "x").has_value(); }));
  EXPECT_EQ(write_text(*carried_, "x").error().code, EPIPE);
  ASSERT_TRUE(run_until(loop_, [&] { return heard_.over(); }));
  EXPECT_EQ(heard_.data, "last words");
}

TEST_F(CarriedStreamTest, MayEndAtAnyMoment) {
  // With everything under way: opening, bytes both ways, an end.
  for (int round = 0; round < 40; ++round) {
    carried_.reset();  // which its thread outlives
    thread_.reset();
    thread_ = LoopThread::start(loop_).value();
    SetUp();
    Recorder recorder;
    if (round % 2 == 0) carried_->set_handler(&recorder);
    peer_->set_handler(&told_);
    static_cast<void>(write_text(*carried_, std::string(100'000, 'x')));
    static_cast<void>(write_text(*peer_, std::string(100'000, 'x')));
    if (round % 3 == 0) peer_->shutdown();
    if (round % 5 == 0) carried_->shutdown();
    for (int turn = 0; turn < round / 4; ++turn) run_ready(loop_);
    if (round % 7 == 0) carried_->reset();
    carried_.reset();
    if (round % 4 == 0) run_ready(loop_);
  }
}

TEST_F(CarriedStreamTest, KeepsItsHomeRunningUntilItIsClosed) {
  peer_->set_handler(&told_);
  Timer last{loop_, [&] { carried_->close(); }};
  last.set(loop_.refresh_now() + 20ms);
  told_.after_end = [&] { peer_->close(); };
  loop_.run();
  EXPECT_EQ(told_.ends, 1u);
}

TEST_F(CarriedStreamTest, NewConnectionsGoToTheThreadThatHasTheFewest) {
  std::vector<std::unique_ptr<ByteStream>> accepted, clients;
  const auto second = LoopThread::start(loop_).value();
  ListenOptions options;
  options.threads = {thread_.get(), second.get()};
  const auto listener = Listener::open(
      loop_, options, [&](auto stream) { accepted.push_back(std::move(stream)); }, [](const Error&) {});
  for (int i = 0; i < 5; ++i) clients.push_back(open_now(loop_, tcp_target((*listener)->port())).value());
  ASSERT_TRUE(run_until(loop_, [&] { return accepted.size() == 5; }));
  EXPECT_EQ(thread_->uses(), 3u);  // with the one of this test
  EXPECT_EQ(second->uses(), 3u);
  accepted.clear();
  EXPECT_EQ(second->uses(), 0u);
}

TEST_F(CarriedStreamTest, AListenerMayEndWithHandshakesUnderWay) {
  std::vector<std::unique_ptr<ByteStream>> accepted;
  std::vector<Error> failures;
  ListenOptions options;
  options.threads = {thread_.get()};
  options.ws = WsServerOptions{"/mqtt", {"mqtt"}};
  auto listener = Listener::open(
                      loop_, options, [&](auto stream) { accepted.push_back(std::move(stream)); },
                      [&](Error error) { failures.push_back(std::move(error)); })
                      .value();
  const auto silent = open_now(loop_, tcp_target(listener->port())).value();
  Recorder recorder;
  silent->set_handler(&recorder);
  ASSERT_TRUE(run_until(loop_, [&] { return thread_->uses() == 2; }));
  await_thread();
  const auto wrong = open_now(loop_, tcp_target(listener->port())).value();
  ASSERT_TRUE(write_text(*wrong, "hello\r\n\r\n"));
  ASSERT_TRUE(run_until(loop_, [&] { return failures.size() == 1; }));
  EXPECT_TRUE(failures[0].context.starts_with("127.0.0.1:")) << failures[0].context;
  listener.reset();
  ASSERT_TRUE(run_until(loop_, [&] { return recorder.over(); }));
  EXPECT_TRUE(accepted.empty());
  EXPECT_TRUE(run_until(loop_, [&] { return thread_->uses() == 1; })) << "nothing keeps the loop running";
}

TEST_F(CarriedStreamTest, AListenerAndItsThreadMayEndJustWhenAHandshakeHas) {
  ListenOptions options;
  options.threads = {thread_.get()};
  options.ws = WsServerOptions{"/mqtt", {"mqtt"}};
  auto listener = Listener::open(loop_, options, [](auto) {}, [](const Error&) {}).value();
  const OwnedFd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in place{
      .sin_family = AF_INET, .sin_port = htons(listener->port()), .sin_addr = {}, .sin_zero = {}};
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
  ASSERT_TRUE(run_until(loop_, [&] { return thread_->uses() == 2; }));
  constexpr std::string_view upgrade =
      "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Protocol: mqtt\r\n\r\n";
  await_thread();
  ASSERT_EQ(::send(client.get(), upgrade.data(), upgrade.size(), 0), static_cast<ssize_t>(upgrade.size()));
  char answer[512];
  ASSERT_GT(::recv(client.get(), answer, sizeof answer, 0), 0) << "by the thread: home has not turned";
  listener.reset();
  carried_.reset();
  thread_.reset();
  EXPECT_EQ(::recv(client.get(), answer, sizeof answer, 0), 0) << "what nobody took is closed";
}

/// Inserts what the test wants.
struct Inserter final : Shortcut {
  void begin(CarriedEnd& its_end) override { end = &its_end; }
  void on_read(Bytes bytes) override { end->send_home(bytes); }
  void on_read_over() override {}
  void on_from_home(Bytes bytes) override { end->append(bytes, Origin::home); }
  void on_drained() override {}

  CarriedEnd* end = nullptr;
};

/// Else home could write nothing to a slow reader for which the thread always has something.
TEST(CarriedShortcut, WhatHomeHasWrittenIsToldOfHoweverMuchIsInserted) {
  Loop home;
  const auto thread = LoopThread::start(home).value();
  thread->stop();  // its loop turns when the test says so
  const auto turn = [&] {
    run_ready(home);
    run_ready(thread->loop());
    run_ready(home);
  };
  const auto wire = std::make_shared<Wire>();
  wire->room = 0;
  auto made = std::make_unique<Inserter>();
  Inserter& inserter = *made;
  auto carried = carry(
      *thread, "fake", {},
      [&](Loop&) -> Result<std::unique_ptr<ByteStream>> { return std::make_unique<FakeStream>(wire); },
      std::move(made));
  Recorder heard;
  carried->set_handler(&heard);
  turn();
  const std::vector<std::uint8_t> inserted(16 * 1024, 'i');
  inserter.end->append(inserted, Origin::shortcut);
  inserter.end->flush();
  EXPECT_EQ(write_text(*carried, std::string(carried_max + 1, 'h')).value(), carried_max);
  turn();
  std::size_t rounds = 0;
  for (; heard.writable_calls == 0 && rounds < 100; ++rounds) {
    inserter.end->append(inserted, Origin::shortcut);
    wire->make_room(inserted.size());
    turn();
    const auto left = static_cast<std::size_t>(std::ranges::count(wire->written, 'h'));
    EXPECT_EQ(heard.writable_calls, left >= 16 * 1024 ? 1u : 0u) << left;
  }
  EXPECT_EQ(rounds, 2u);
  wire->make_room(1 << 20);
  turn();
  EXPECT_EQ(wire->written.size(), carried_max + 3 * inserted.size());
  carried.reset();
  turn();
  EXPECT_TRUE(wire->closed);
}

}  // namespace
}  // namespace mqtt::net::test
