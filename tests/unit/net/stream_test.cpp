#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

#include <mqtt/net/filter_stream.hpp>
#include <unit/net/certificates.hpp>
#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

using testing::HasSubstr;

enum class Kind { tcp, unix_socket, tls, ws, wss };

bool has_tls(Kind kind) { return kind == Kind::tls || kind == Kind::wss; }
bool has_ws(Kind kind) { return kind == Kind::ws || kind == Kind::wss; }

/// How the streams of both ends come to the test's loop.
enum class Reach { own, carried };

struct Way {
  Kind kind;
  Reach reach = Reach::own;
};

/// Does not repeat at any power of two, so that a lost or doubled block shows.
std::string random_text(std::size_t size) {
  static const std::string block = [] {
    std::mt19937 random{42};
    std::string made(65'521, '\0');
    std::ranges::generate(made, [&] { return static_cast<char>(random()); });
    return made;
  }();
  std::string text;
  text.reserve(size);
  while (text.size() < size) text += block.substr(0, size - text.size());
  return text;
}

/// The same behaviour of every kind of stream, over real sockets.
class StreamTest : public testing::TestWithParam<Way> {
 protected:
  StreamTest() : server_{loop_, listen_options()} {}

  [[nodiscard]] static bool carried() { return GetParam().reach == Reach::carried; }
  /// None where the loop reads and writes itself.
  std::unique_ptr<LoopThread> start_thread() {
    return carried() ? LoopThread::start(loop_).value() : nullptr;
  }

  static Authority& authority() {
    static Authority made;
    return made;
  }

  ListenOptions listen_options() {
    ListenOptions options;
    if (theirs_) options.threads = {theirs_.get()};
    if (GetParam().kind == Kind::unix_socket) options.unix_path = directory_.file("socket");
    if (has_tls(GetParam().kind)) {
      static const CertificateFiles files = authority().issue();
      TlsOptions tls = server_options(files);
      tls.alpn = {"mqtt"};
      options.tls = TlsContext::server(tls).value();
    }
    if (has_ws(GetParam().kind)) options.ws = WsServerOptions{"/mqtt", {"mqtt"}};
    return options;
  }

  StreamTarget target() {
    StreamTarget target;
    if (GetParam().kind == Kind::unix_socket)
      target.unix_path = directory_.file("socket");
    else
      target.hosts = {{"127.0.0.1", server_.port()}};
    if (has_tls(GetParam().kind)) {
      TlsOptions tls = client_options(authority());
      tls.alpn = {"mqtt"};
      target.tls = TlsContext::client(tls).value();
    }
    if (has_ws(GetParam().kind)) target.ws = WsOptions{"/mqtt?token=x", {}, {"mqtt"}, {}};
    return target;
  }

  std::unique_ptr<ByteStream> open() {
    auto stream = carried() ? open_carried(*ours_, target()) : open_now(loop_, target());
    EXPECT_TRUE(stream.has_value()) << stream.error().context;
    EXPECT_TRUE(run_until(loop_, [&] { return server_.connections() == 1; }));
    return stream ? std::move(*stream) : nullptr;
  }

  /// Sends `text` and runs until the echo is back.
  void expect_echo(ByteStream& stream, const std::string& text) {
    Sender sender{text};
    recorder_.data.clear();
    recorder_.after_writable = [&] { sender.send(stream); };
    sender.send(stream);
    EXPECT_TRUE(run_until(loop_, [&] { return recorder_.data.size() >= text.size() || recorder_.over(); }));
    EXPECT_TRUE(recorder_.data == text) << recorder_.data.size() << " of " << text.size() << " bytes";
    recorder_.after_writable = nullptr;
  }

  TempDirectory directory_;
  Loop loop_;
  std::unique_ptr<LoopThread> ours_ = start_thread(), theirs_ = start_thread();
  EchoServer server_;
  Recorder recorder_;
};

/// Thousands of idle connections over TLS or WebSocket have one or two of these each.
TEST(FilterStreamSize, IsPinned) { EXPECT_LE(sizeof(FilterStream), 200u); }

TEST_P(StreamTest, EchoesEverySizeInOrder) {
  const auto stream = open();
  stream->set_handler(&recorder_);
  EXPECT_EQ(write_text(*stream, "").value(), 0u);
  for (const std::size_t size : {1u, 125u, 126u, 16u * 1024, 65535u, 65536u, 65537u, 5u * 1024 * 1024})
    expect_echo(*stream, random_text(size));
  EXPECT_FALSE(recorder_.over());
}

TEST_P(StreamTest, GathersManyParts) {
  const auto stream = open();
  stream->set_handler(&recorder_);
  std::string text = random_text(30000);
  std::vector<iovec> parts;
  for (std::size_t at = 0; at < text.size(); at += 30) parts.push_back({text.data() + at, 30});
  parts.insert(parts.begin() + 5, iovec{nullptr, 0});
  EXPECT_EQ(stream->write(parts).value(), text.size());
  EXPECT_TRUE(run_until(loop_, [&] { return recorder_.data.size() >= text.size(); }));
  EXPECT_EQ(recorder_.data, text);
}

TEST_P(StreamTest, SlowReaderBlocksTheWriterAndLosesNothing) {
  const auto stream = open();
  const std::string text = random_text(20 * 1024 * 1024);
  Sender sender{text};
  recorder_.after_writable = [&] { sender.send(*stream); };
  stream->set_handler(&recorder_);
  stream->pause_reading();
  sender.send(*stream);
  // The echo comes to a stop with both directions' kernel buffers full.
  std::size_t before = 0;
  do {
    before = sender.sent();
    static_cast<void>(run_until(loop_, [&] { return sender.sent() != before; }, 100ms));
  } while (sender.sent() != before);
  EXPECT_LT(sender.sent(), text.size());
  EXPECT_EQ(recorder_.data_calls, 0u);
  EXPECT_LT(server_.most_waiting(), 256u * 1024);
  EXPECT_EQ(write_text(*stream, "x").value(), 0u);
  stream->resume_reading();
  const auto all_back = [&] { return recorder_.data.size() >= text.size() || recorder_.over(); };
  ASSERT_TRUE(run_until(loop_, all_back, 3min));  // seconds of work with a thread sanitizer
  EXPECT_TRUE(recorder_.data == text);
}

TEST_P(StreamTest, PausedInsideDataHearsNothingUntilResumed) {
  const auto stream = open();
  const std::string text = random_text(300'000);
  recorder_.after_data = [&] { stream->pause_reading(); };
  stream->set_handler(&recorder_);
  Sender sender{text};
  recorder_.after_writable = [&] { sender.send(*stream); };
  sender.send(*stream);
  std::size_t calls = 0;
  while (recorder_.data.size() < text.size()) {
    ASSERT_TRUE(run_until(loop_, [&] { return recorder_.data_calls > calls; }));
    calls = recorder_.data_calls;
    run_ready(loop_);
    ASSERT_EQ(recorder_.data_calls, calls);
    stream->resume_reading();
  }
  EXPECT_TRUE(recorder_.data == text);
}

TEST_P(StreamTest, ShutdownDeliversWhatWasTakenThenBothEndsEnd) {
  const auto stream = open();
  stream->set_handler(&recorder_);
  const std::string text = random_text(200'000);
  Sender sender{text};
  recorder_.after_writable = [&] { sender.send(*stream); };
  sender.send(*stream);
  ASSERT_TRUE(run_until(loop_, [&] { return sender.done(); }));
  stream->shutdown();
  EXPECT_FALSE(write_text(*stream, "late").has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.over(); }));
  EXPECT_EQ(recorder_.ends, 1u);
  // A WebSocket's end goes both ways at once: only plain streams and TLS can answer after it.
  if (!has_ws(GetParam().kind)) {
    EXPECT_TRUE(recorder_.data == text);
  }
}

TEST_P(StreamTest, MayJustCloseOnceAllHasLeftThatThePeerWaitsFor) {
  const auto stream = open();
  stream->set_handler(&recorder_);
  expect_echo(*stream, "x");
  EXPECT_EQ(stream->may_just_close(), !has_tls(GetParam().kind) && !has_ws(GetParam().kind));
  stream->shutdown();
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.over(); }));
  EXPECT_TRUE(stream->may_just_close());
}

TEST_P(StreamTest, MayJustCloseOnceThePeerHasEndedWithoutAWord) {
  const auto stream = open();
  stream->set_handler(&recorder_);
  stream->shutdown();
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.over(); }));
  EXPECT_TRUE(recorder_.data.empty());
  EXPECT_TRUE(stream->may_just_close());
}

TEST_P(StreamTest, PeerShutdownIsAnOrderlyEnd) {
  const auto stream = open();
  stream->set_handler(&recorder_);
  server_.stream(0).shutdown();
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.over(); }));
  EXPECT_EQ(recorder_.ends, 1u);
  EXPECT_TRUE(recorder_.errors.empty());
}

TEST_P(StreamTest, EndWaitsWhilePaused) {
  const auto stream = open();
  stream->set_handler(&recorder_);
  stream->pause_reading();
  server_.stream(0).shutdown();
  static_cast<void>(run_until(loop_, [&] { return recorder_.over(); }, 50ms));
  EXPECT_FALSE(recorder_.over());
  stream->resume_reading();
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.over(); }));
  EXPECT_EQ(recorder_.ends, 1u);
}

TEST_P(StreamTest, ResetByThePeerIsAnError) {
  const auto stream = open();
  stream->set_handler(&recorder_);
  server_.stream(0).reset();
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.over(); }));
  if (GetParam().kind == Kind::unix_socket) {  // has no resets
    EXPECT_EQ(recorder_.ends, 1u);
    return;
  }
  ASSERT_EQ(recorder_.errors.size(), 1u);
  EXPECT_EQ(recorder_.errors[0].code, ECONNRESET);
  EXPECT_EQ(recorder_.errors[0].context, "connection reset by " + stream->peer());
}

TEST_P(StreamTest, WritingToAClosedPeerFailsForGoodButDoesNotKill) {
  const auto stream = open();
  stream->set_handler(&recorder_);
  server_.stream(0).close();
  ASSERT_TRUE(run_until(loop_, [&] {
    const auto taken = write_text(*stream, std::string(1000, 'x'));
    return !taken.has_value();
  }));
  EXPECT_FALSE(write_text(*stream, "x").has_value());
}

TEST_P(StreamTest, CloseInsideDataEndsTheCalls) {
  const auto stream = open();
  recorder_.after_data = [&] { stream->close(); };
  stream->set_handler(&recorder_);
  ASSERT_TRUE(write_text(*stream, random_text(100'000)).has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.data_calls > 0; }));
  run_ready(loop_);
  EXPECT_EQ(recorder_.data_calls, 1u);
  EXPECT_FALSE(recorder_.over());
  EXPECT_FALSE(write_text(*stream, "x").has_value());
  stream->resume_reading();
  stream->shutdown();
  stream->reset();
}

TEST_P(StreamTest, MayBeDestroyedInsideData) {
  auto stream = open();
  recorder_.after_data = [&] { stream.reset(); };
  stream->set_handler(&recorder_);
  ASSERT_TRUE(write_text(*stream, random_text(100'000)).has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return stream == nullptr; }));
  run_ready(loop_);
  EXPECT_EQ(recorder_.data_calls, 1u);
}

TEST_P(StreamTest, MayBeDestroyedInsideEnd) {
  auto stream = open();
  recorder_.after_end = [&] { stream.reset(); };
  stream->set_handler(&recorder_);
  server_.stream(0).shutdown();
  ASSERT_TRUE(run_until(loop_, [&] { return stream == nullptr; }));
}

TEST_P(StreamTest, MayBeDestroyedInsideError) {
  auto stream = open();
  recorder_.after_error = recorder_.after_end = [&] { stream.reset(); };  // a unix socket has no resets
  stream->set_handler(&recorder_);
  server_.stream(0).reset();
  ASSERT_TRUE(run_until(loop_, [&] { return stream == nullptr; }));
}

TEST_P(StreamTest, MayBeDestroyedInsideWritableWithOutputWaiting) {
  auto stream = open();
  Sender sender{random_text(20 * 1024 * 1024)};
  recorder_.after_writable = [&] {
    sender.send(*stream);
    stream.reset();
  };
  stream->set_handler(&recorder_);
  sender.send(*stream);
  ASSERT_FALSE(sender.done());
  ASSERT_TRUE(run_until(loop_, [&] { return stream == nullptr; }));
  run_ready(loop_);
}

TEST_P(StreamTest, DataThatCameBeforeTheHandlerIsKept) {
  const auto stream = open();
  ASSERT_EQ(write_text(server_.stream(0), "hello").value(), 5u);
  run_ready(loop_);
  stream->set_handler(&recorder_);
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.data.size() == 5; }));
  EXPECT_EQ(recorder_.data, "hello");
}

TEST_P(StreamTest, HandlerMayBeReplacedBetweenData) {
  const auto stream = open();
  Recorder second;
  recorder_.after_data = [&] { stream->set_handler(&second); };
  stream->set_handler(&recorder_);
  const std::string text = random_text(50'000);
  ASSERT_TRUE(write_text(*stream, text).has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.data.size() + second.data.size() >= text.size(); }));
  EXPECT_EQ(recorder_.data_calls, 1u);
  EXPECT_TRUE(recorder_.data + second.data == text);
}

TEST_P(StreamTest, KnowsItsPeerAndWhatWasAgreed) {
  const auto stream = open();
  const std::string port = std::to_string(server_.port());
  EXPECT_EQ(stream->peer(),
            GetParam().kind == Kind::unix_socket ? directory_.file("socket") : "127.0.0.1:" + port);
  const StreamProperties agreed = stream->properties();
  EXPECT_EQ(agreed.tls_version, has_tls(GetParam().kind) ? "TLSv1.3" : "");
  EXPECT_EQ(agreed.tls_cipher.empty(), !has_tls(GetParam().kind));
  EXPECT_EQ(agreed.alpn, has_tls(GetParam().kind) ? "mqtt" : "");
  EXPECT_EQ(agreed.peer_certificate, has_tls(GetParam().kind) ? "CN=test" : "");
  EXPECT_EQ(agreed.subprotocol, has_ws(GetParam().kind) ? "mqtt" : "");
  if (GetParam().kind != Kind::unix_socket) {
    EXPECT_THAT(server_.stream(0).peer(), HasSubstr("127.0.0.1:"));
  }
}

std::string way_name(const testing::TestParamInfo<Way>& tested) {
  constexpr std::array names{"Tcp", "Unix", "Tls", "Ws", "Wss"};
  return names[static_cast<std::size_t>(tested.param.kind)];
}

INSTANTIATE_TEST_SUITE_P(Every, StreamTest,
                         testing::Values(Way{Kind::tcp}, Way{Kind::unix_socket}, Way{Kind::tls},
                                         Way{Kind::ws}, Way{Kind::wss}),
                         way_name);

/// Whatever a thread carries keeps the contract, too.
INSTANTIATE_TEST_SUITE_P(Carried, StreamTest,
                         testing::Values(Way{Kind::tcp, Reach::carried},
                                         Way{Kind::unix_socket, Reach::carried},
                                         Way{Kind::wss, Reach::carried}),
                         way_name);

}  // namespace
}  // namespace mqtt::net::test
