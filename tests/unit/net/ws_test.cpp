#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unit/net/fake_stream.hpp>
#include <unit/net/net_test.hpp>

#include <mqtt/net/ws.hpp>
#include <mqtt/net/ws_frames.hpp>

namespace mqtt::net::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// A frame as text, masked with a fixed key if `mask` is given. Lengths are written as they are told.
struct Frame {
  std::uint8_t first = 0x82;  // FIN, binary
  std::string payload;
  bool masked = false;

  [[nodiscard]] std::string text() const {
    std::string out(1, static_cast<char>(first));
    const auto mask_bit = static_cast<char>(masked ? 0x80 : 0);
    if (payload.size() < 126) {
      out += static_cast<char>(mask_bit | static_cast<char>(payload.size()));
    } else {
      out += static_cast<char>(mask_bit | 126);
      out += static_cast<char>(payload.size() >> 8);
      out += static_cast<char>(payload.size());
    }
    constexpr std::string_view mask = "\x11\x22\x33\x44";
    if (masked) out += mask;
    for (std::size_t i = 0; i < payload.size(); ++i)
      out += masked ? static_cast<char>(payload[i] ^ mask[i % 4]) : payload[i];
    return out;
  }
};

/// Removes the mask of the one frame in `text`: its first two bytes and its payload.
std::string unmasked(std::string_view text) {
  std::string out{text.substr(0, 2)};
  for (std::size_t i = 6; i < text.size(); ++i) out += static_cast<char>(text[i] ^ text[2 + (i - 6) % 4]);
  return out;
}

constexpr const char* request =
    "GET /mqtt HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: "
    "mqtt\r\n\r\n";

/// One role, over a wire whose other end is the test.
class WsTest : public testing::TestWithParam<WsRole> {
 protected:
  void SetUp() override {
    auto below = std::make_unique<FakeStream>(wire_);
    auto on_opened = [this](Result<void> result) {
      opened_ = std::move(result);
      if (opened_->has_value() && set_handler_at_once_) stream_->set_handler(&recorder_);
    };
    if (GetParam() == WsRole::server) {
      stream_ = make_ws_server(loop_, std::move(below), {"/mqtt", {"mqtt"}}, on_opened);
    } else {
      WsOptions options;
      options.path = "/mqtt";
      options.host = "h";
      options.subprotocols = {"mqtt"};
      stream_ = make_ws_client(loop_, std::move(below), options, on_opened);
      run_ready(loop_);
    }
  }

  /// What the peer says to upgrade.
  [[nodiscard]] std::string peer_head() const {
    if (GetParam() == WsRole::server) return request;
    const std::string name = "Sec-WebSocket-Key: ";
    const std::string key = wire_->written.substr(wire_->written.find(name) + name.size(), 24);
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
           "Upgrade\r\nSec-WebSocket-Accept: " +
           ws_accept_for(key) + "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
  }

  void upgrade() {
    wire_->push(peer_head());
    ASSERT_TRUE(opened_.has_value());
    ASSERT_TRUE(opened_->has_value()) << opened_->error().context;
    run_ready(loop_);
    wire_->written.clear();
  }

  /// A frame from the peer, with the mask its role asks for.
  [[nodiscard]] std::string from_peer(std::uint8_t first, std::string payload) const {
    return Frame{first, std::move(payload), GetParam() == WsRole::server}.text();
  }

  /// What we wrote last, with its mask removed if we are the client.
  [[nodiscard]] std::string sent() const {
    return GetParam() == WsRole::client ? unmasked(wire_->written) : wire_->written;
  }

  /// The header bytes of a frame of ours.
  [[nodiscard]] std::string our_header(std::uint8_t first, std::size_t size) const {
    const int mask_bit = GetParam() == WsRole::client ? 0x80 : 0;
    return {static_cast<char>(first), static_cast<char>(mask_bit | static_cast<int>(size))};
  }

  void expect_violation(std::string_view code, std::string_view text) {
    ASSERT_EQ(recorder_.errors.size(), 1u);
    EXPECT_EQ(recorder_.errors[0].domain, ErrorDomain::websocket);
    EXPECT_EQ(recorder_.errors[0].context, text);
    EXPECT_EQ(sent(), our_header(0x88, 2) + std::string{code});
    EXPECT_TRUE(wire_->shut_down);
    EXPECT_FALSE(write_text(*stream_, "x").has_value());
  }

  Loop loop_;
  std::shared_ptr<Wire> wire_ = std::make_shared<Wire>();
  std::unique_ptr<ByteStream> stream_;
  std::optional<Result<void>> opened_;
  Recorder recorder_;
  bool set_handler_at_once_ = true;
};

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST_P(WsTest, UpgradesEvenIfTheHeadComesByteByByteAndFramesFollowAtOnce) {
  for (const char byte : peer_head() + from_peer(0x82, "hello")) wire_->push({&byte, 1});
  ASSERT_TRUE(opened_ && opened_->has_value());
  EXPECT_EQ(recorder_.data, "hello");
}

TEST_P(WsTest, KeepsWhatComesBehindTheHeadUntilThereIsAHandler) {
  set_handler_at_once_ = false;
  wire_->push(peer_head() + from_peer(0x82, "hello"));
  ASSERT_TRUE(opened_ && opened_->has_value());
  EXPECT_TRUE(wire_->paused);
  stream_->set_handler(&recorder_);
  EXPECT_EQ(recorder_.data, "") << "not inside a call to the stream";
  run_ready(loop_);
  EXPECT_EQ(recorder_.data, "hello");
  EXPECT_FALSE(wire_->paused);
}

TEST_P(WsTest, ReadsAllLengthsCutAnywhere) {
  upgrade();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{125}, std::size_t{126},
                                 std::size_t{300}, std::size_t{65535}}) {
    const std::string payload(size, 'p');
    const std::string frame = from_peer(0x82, payload);
    for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, std::size_t{3}, frame.size() / 2}) {
      recorder_.data.clear();
      wire_->push(frame.substr(0, cut));
      wire_->push(frame.substr(std::min(cut, frame.size())));
      EXPECT_TRUE(recorder_.data == payload) << size << ' ' << cut;
    }
  }
  EXPECT_FALSE(recorder_.over());
}

TEST_P(WsTest, PassesFragmentsOnAndAnswersAPingBetweenThem) {
  upgrade();
  wire_->push(from_peer(0x02, "one "));
  EXPECT_EQ(recorder_.data, "one ");
  wire_->push(from_peer(0x89, "are you there"));
  EXPECT_EQ(sent(), our_header(0x8A, 13) + "are you there");
  wire_->push(from_peer(0x00, "two ") + from_peer(0x8A, "unasked pong") + from_peer(0x80, "three"));
  EXPECT_EQ(recorder_.data, "one two three");
  EXPECT_FALSE(recorder_.over());
}

TEST_P(WsTest, AnswersAnEmptyPing) {
  upgrade();
  wire_->push(from_peer(0x89, ""));
  EXPECT_EQ(sent().substr(0, 2), our_header(0x8A, 0));
}

TEST_P(WsTest, APingFloodDoesNotGrowTheOutput) {
  upgrade();
  wire_->room = 0;
  for (int i = 0; i < 1000; ++i) wire_->push(from_peer(0x89, "ping " + std::to_string(i)));
  wire_->make_room(100'000);
  EXPECT_LT(wire_->written.size(), 100u);
  EXPECT_THAT(unmasked("xx\0\0\0\0"s + wire_->written).size(), testing::Gt(0u));
  EXPECT_FALSE(recorder_.over());
}

TEST_P(WsTest, Mqtt_6_0_0_1_TextFrameClosesWith1003) {
  upgrade();
  wire_->push(from_peer(0x81, "text"));
  expect_violation("\x03\xEB", "WebSocket text frame, where MQTT needs binary ones");
}

TEST_P(WsTest, WrongMaskingClosesWith1002) {
  upgrade();
  wire_->push(Frame{0x82, "x", GetParam() == WsRole::client}.text());
  expect_violation("\x03\xEA", GetParam() == WsRole::client ? "WebSocket frame from a server with mask"
                                                            : "WebSocket frame from a client without mask");
}

TEST_P(WsTest, ReservedBitsCloseWith1002) {
  upgrade();
  wire_->push(from_peer(0xC2, "x"));
  expect_violation("\x03\xEA", "WebSocket frame with reserved bits");
}

TEST_P(WsTest, UnknownOpcodeClosesWith1002) {
  upgrade();
  wire_->push(from_peer(0x83, "x"));
  expect_violation("\x03\xEA", "WebSocket frame with unknown opcode 3");
}

TEST_P(WsTest, MessageInsideAMessageClosesWith1002) {
  upgrade();
  wire_->push(from_peer(0x02, "a") + from_peer(0x82, "b"));
  EXPECT_EQ(recorder_.data, "a");
  expect_violation("\x03\xEA", "WebSocket message begins inside another one");
}

TEST_P(WsTest, ContinuationOfNothingClosesWith1002) {
  upgrade();
  wire_->push(from_peer(0x82, "whole") + from_peer(0x80, "more"));
  expect_violation("\x03\xEA", "WebSocket continuation frame without a message");
}

TEST_P(WsTest, OversizeControlFrameClosesWith1002) {
  upgrade();
  wire_->push(from_peer(0x89, std::string(126, 'p')));
  expect_violation("\x03\xEA", "malformed WebSocket frame header");
}

TEST_P(WsTest, FragmentedControlFrameClosesWith1002) {
  upgrade();
  wire_->push(from_peer(0x09, "p"));
  expect_violation("\x03\xEA", "malformed WebSocket frame header");
}

TEST_P(WsTest, HugeDeclaredLengthIsPassedOnAsItComes) {
  upgrade();
  const bool masked = GetParam() == WsRole::server;
  std::string frame = "\x82"s + (masked ? "\xFF" : "\x7F") + "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s;
  if (masked) frame += "\0\0\0\0"s;
  wire_->push(frame + "first");
  wire_->push(" second");
  EXPECT_EQ(recorder_.data, "first second");
}

TEST_P(WsTest, LengthWithTheHighestBitClosesWith1002) {
  upgrade();
  const bool masked = GetParam() == WsRole::server;
  wire_->push("\x82"s + (masked ? "\xFF" : "\x7F") + "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s + "\0\0\0\0x"s);
  expect_violation("\x03\xEA", "malformed WebSocket frame header");
}

TEST_P(WsTest, OrderlyCloseIsEchoedAndEnds) {
  for (const std::string& payload : {"\x03\xE8"s, "\x03\xE9 bye"s, ""s}) {
    recorder_ = Recorder{};
    wire_ = std::make_shared<Wire>();
    opened_.reset();
    SetUp();
    upgrade();
    wire_->push(from_peer(0x88, payload));
    EXPECT_EQ(recorder_.ends, 1u);
    EXPECT_EQ(sent().substr(0, 2), our_header(0x88, std::min<std::size_t>(payload.size(), 2)));
    EXPECT_TRUE(wire_->shut_down);
    EXPECT_FALSE(write_text(*stream_, "x").has_value());
  }
}

TEST_P(WsTest, CloseWithAnotherCodeIsAnErrorInWords) {
  upgrade();
  wire_->push(from_peer(0x88,
                        "\x03\xF0"
                        "go \x1b[31maway"));
  ASSERT_EQ(recorder_.errors.size(), 1u);
  EXPECT_EQ(recorder_.errors[0].context,
            "peer closed the WebSocket with 1008 (policy violation): go \\e[31maway");
  EXPECT_EQ(sent(), our_header(0x88, 2) + "\x03\xF0");
}

TEST_P(WsTest, MalformedCloseFramesAreViolations) {
  EXPECT_EQ(parse_close(as_bytes("\x03"sv)).kind, WsEvent::Kind::violation);
  for (const std::string_view code :
       {"\x03\xE7"sv, "\x03\xEC"sv, "\x03\xED"sv, "\x03\xEE"sv, "\x03\xF7"sv, "\x0B\xB7"sv, "\x13\x88"sv})
    EXPECT_EQ(parse_close(as_bytes(code)).kind, WsEvent::Kind::violation) << static_cast<int>(code[1]);
  for (const std::string_view code : {"\x03\xE8"sv, "\x03\xF3"sv, "\x0B\xB8"sv, "\x13\x87"sv})
    EXPECT_EQ(parse_close(as_bytes(code)).kind, WsEvent::Kind::close) << static_cast<int>(code[1]);
  const WsEvent event = parse_close(as_bytes("\x03\xE8\xC0\x80"sv));
  EXPECT_EQ(event.kind, WsEvent::Kind::violation);
  EXPECT_EQ(event.code, ws_close::invalid_payload);
}

TEST_P(WsTest, ShutdownSendsACloseFrameAndWaitsForThePeers) {
  upgrade();
  stream_->shutdown();
  EXPECT_EQ(sent(), our_header(0x88, 2) + "\x03\xE8");
  EXPECT_FALSE(wire_->shut_down);
  stream_->shutdown();
  wire_->push(from_peer(0x82, "still here"));
  EXPECT_EQ(recorder_.data, "still here");
  wire_->push(from_peer(0x88, "\x03\xE8"));
  EXPECT_EQ(recorder_.ends, 1u);
  EXPECT_TRUE(wire_->shut_down);
  EXPECT_EQ(wire_->written.size(), GetParam() == WsRole::client ? 8u : 4u) << "one close frame only";
}

TEST_P(WsTest, EndWithoutACloseFrameIsAnEnd) {
  upgrade();
  wire_->end();
  EXPECT_EQ(recorder_.ends, 1u);
}

TEST_P(WsTest, OneWriteIsOneBinaryFrame) {
  upgrade();
  std::string a = "ab", b = "cde";
  const iovec parts[] = {{a.data(), a.size()}, {b.data(), b.size()}};
  EXPECT_EQ(stream_->write(parts).value(), 5u);
  EXPECT_EQ(sent(), our_header(0x82, 5) + "abcde");
}

TEST_P(WsTest, BlockedWriteHoldsABoundedAmountAndSaysWhenItGoesOn) {
  upgrade();
  wire_->room = 1000;
  const std::string text(1'000'000, 'x');
  const std::size_t taken = write_text(*stream_, text).value();
  EXPECT_LE(taken, 64u * 1024);
  EXPECT_EQ(write_text(*stream_, text).value(), 0u);
  wire_->make_room(1000);
  EXPECT_EQ(recorder_.writable_calls, 0u);
  wire_->make_room(1'000'000);
  EXPECT_EQ(recorder_.writable_calls, 1u);
  EXPECT_GT(wire_->written.size(), taken);
}

TEST_P(WsTest, WriteErrorsAreStickyButReadingGoesOn) {
  upgrade();
  wire_->write_error = Error{ErrorDomain::system, EPIPE, "gone"};
  EXPECT_EQ(write_text(*stream_, "x").error().context, "gone");
  wire_->write_error.reset();
  EXPECT_EQ(write_text(*stream_, "x").error().context, "gone");
  wire_->push(from_peer(0x82, "last words"));
  EXPECT_EQ(recorder_.data, "last words");
}

TEST_P(WsTest, BrokenConnectionAfterTheUpgradeKeepsItsError) {
  upgrade();
  wire_->fail({ErrorDomain::system, ECONNRESET, "connection reset by x"});
  ASSERT_EQ(recorder_.errors.size(), 1u);
  EXPECT_EQ(recorder_.errors[0].code, ECONNRESET);
}

TEST_P(WsTest, ResetGoesThroughToTheSocket) {
  upgrade();
  stream_->reset();
  EXPECT_TRUE(wire_->was_reset);
}

TEST_P(WsTest, PeerThatClosesDuringTheUpgrade) {
  wire_->push(peer_head().substr(0, 30));
  wire_->end();
  ASSERT_TRUE(opened_ && !opened_->has_value());
  EXPECT_EQ(opened_->error().context, "peer closed during the WebSocket upgrade");
}

TEST_P(WsTest, GarbageInsteadOfHttp) {
  wire_->push("\x20\x02");
  ASSERT_TRUE(opened_ && !opened_->has_value());
  EXPECT_EQ(opened_->error().domain, ErrorDomain::websocket);
  EXPECT_EQ(opened_->error().context, "the peer does not speak HTTP, as a WebSocket upgrade needs");
}

TEST_P(WsTest, NeverEndingHeadIsCutOff) {
  wire_->push(GetParam() == WsRole::client ? "HTTP/1.1 101 X\r\n" : "GET / HTTP/1.1\r\n");
  std::size_t pushed = 0;
  for (; pushed < 100'000 && !opened_; pushed += 1000) wire_->push("X: " + std::string(995, 'x') + "\r\n");
  ASSERT_TRUE(opened_ && !opened_->has_value());
  EXPECT_LE(pushed, http_head_max_bytes + 1000);
  EXPECT_EQ(opened_->error().context, "HTTP header of the WebSocket upgrade is too long");
}

TEST_P(WsTest, MayBeDestroyedWhenItsUpgradeFails) {
  auto below = std::make_unique<FakeStream>(wire_ = std::make_shared<Wire>());
  stream_ = make_ws_server(loop_, std::move(below), {}, [&](const Result<void>&) { stream_.reset(); });
  wire_->push("\x01");
  EXPECT_EQ(stream_, nullptr);
  EXPECT_TRUE(wire_->closed);
}

INSTANTIATE_TEST_SUITE_P(Both, WsTest, testing::Values(WsRole::client, WsRole::server),
                         [](const auto& role) { return role.param == WsRole::client ? "Client" : "Server"; });

}  // namespace
}  // namespace mqtt::net::test
