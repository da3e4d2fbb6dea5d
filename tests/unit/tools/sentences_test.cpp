#include "common/sentences.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/hints.hpp"

namespace mq {
namespace {

using mqtt::Ending;
using mqtt::Error;
using mqtt::ErrorDomain;
using mqtt::ReasonCode;
using testing::HasSubstr;
using Kind = Ending::Kind;
using namespace std::chrono_literals;

const Where plain{
    .name = "broker.lan:1883", .transport = mqtt::Transport::tcp, .port = 1883, .client_id = "me"};
const Where tls{
    .name = "broker.lan:8883", .transport = mqtt::Transport::tls, .port = 8883, .client_id = "me"};

TEST(Sentence, ConnectFailureSaysWhereAndWhy) {
  const Sentence said =
      describe(Ending{.kind = Kind::open_failed,
                      .error = {ErrorDomain::tls, 10, "certificate has expired (2026-03-01)"}},
               tls);
  EXPECT_EQ(said.text, "cannot connect to broker.lan:8883: certificate has expired (2026-03-01)");
  EXPECT_EQ(said.hint, "");
}

TEST(Sentence, RefusalHasNameCodeReasonStringAndReference) {
  const Ending ending{
      .kind = Kind::refused,
      .close = {
          .code = ReasonCode::server_moved, .reason_string = "new house", .server_reference = "b2:1883"}};
  EXPECT_EQ(describe(ending, plain).text,
            "broker.lan:1883 refused the connection: Server moved (0x9D): new house; it refers to b2:1883");
}

TEST(Sentence, RefusalBefore5HasItsReturnCode) {
  const Ending ending{
      .kind = Kind::refused,
      .close = {.code = ReasonCode::not_authorized, .return_code = mqtt::ConnectReturnCode::not_authorized}};
  const Sentence said = describe(ending, plain);
  EXPECT_THAT(said.text, HasSubstr("(return code 5)"));
  EXPECT_THAT(said.hint, HasSubstr("-u"));
}

TEST(Sentence, TakeOverNamesTheClientId) {
  const Ending ending{.kind = Kind::peer_disconnect,
                      .close = {.code = ReasonCode::session_taken_over},
                      .was_connected = true};
  const Sentence said = describe(ending, plain);
  EXPECT_EQ(said.text, "broker.lan:1883 ended the connection: Session taken over (0x8E)");
  EXPECT_THAT(said.hint, HasSubstr("'me'"));
}

TEST(Sentence, DecodeErrorNamesClauseAndByte) {
  EXPECT_EQ(describe(mqtt::DecodeError{ReasonCode::malformed_packet, "MQTT-3.3.1-4",
                                       "PUBLISH with both QoS bits set", 0}),
            "malformed packet from the server: PUBLISH with both QoS bits set [MQTT-3.3.1-4] at byte 0");
  EXPECT_THAT(describe(mqtt::DecodeError{ReasonCode::protocol_error, "", "x", 3}),
              testing::Eq("protocol error from the server: x at byte 3"));
}

TEST(Sentence, WebServerAndTlsServerAreRecognised) {
  Ending ending{.kind = Kind::protocol_error,
                .close = {.error = mqtt::DecodeError{ReasonCode::malformed_packet, "MQTT-2.1.3-1", "x", 0}},
                .first_bytes = "HTTP/1.1 400 Bad"};
  EXPECT_EQ(describe(ending, plain).text, "broker.lan:1883 answered in HTTP, not in MQTT");
  EXPECT_THAT(describe(ending, plain).hint, HasSubstr("ws://"));
  ending.first_bytes = std::string("\x15\x03\x03\x00\x02\x02\x46", 7);
  EXPECT_EQ(describe(ending, plain).text, "broker.lan:1883 answered in TLS, not in plain MQTT");
  EXPECT_THAT(describe(ending, plain).hint, HasSubstr("mqtts://"));
}

TEST(GuessPeer, NeedsEnoughToTell) {
  EXPECT_EQ(guess_peer(""), PeerKind::unknown);
  EXPECT_EQ(guess_peer("\x15"), PeerKind::unknown);
  EXPECT_EQ(guess_peer("HTTP"), PeerKind::unknown);
  EXPECT_EQ(guess_peer(std::string_view{"\x20\x02\x00\x00", 4}), PeerKind::unknown);  // CONNACK
  EXPECT_EQ(guess_peer("HTTP/1.0"), PeerKind::http);
  EXPECT_EQ(guess_peer("\x16\x03\x01"), PeerKind::tls);
}

TEST(Sentence, OfAnAuthenticationThatFailed) {
  Ending ending{.kind = Kind::authentication_failed, .error = {ErrorDomain::authentication, 0, "it lies"}};
  EXPECT_EQ(describe(ending, plain).text, fmt::format("cannot connect to {}: it lies", plain.name));
  ending.was_connected = true;
  EXPECT_EQ(describe(ending, plain).text, fmt::format("left {}: it lies", plain.name));
  const Ending silence{.kind = Kind::auth_timeout, .was_connected = true};
  EXPECT_EQ(describe(silence, plain).text,
            fmt::format("connection to {} lost: no answer to AUTH", plain.name));
  EXPECT_EQ(renewal_failed({ErrorDomain::system, 0, "no luck"}, std::chrono::milliseconds{1500}).text,
            "cannot renew the token: no luck; next attempt in 1.5s");
}

TEST(Hint, SilenceOnATlsPortSuggestsTls) {
  const Where wrong{.name = "b:8883", .transport = mqtt::Transport::tcp, .port = 8883};
  const Ending closed{.kind = Kind::connection_lost,
                      .error = {ErrorDomain::system, 0, "the server closed the connection"}};
  EXPECT_THAT(describe(closed, wrong).hint, HasSubstr("port 8883 usually speaks TLS: use a mqtts:// URL"));
  EXPECT_EQ(describe(closed, wrong).text,
            "cannot connect to b:8883: no answer to CONNECT: the server closed the connection");
  EXPECT_THAT(describe(Ending{.kind = Kind::connack_timeout}, wrong).hint, HasSubstr("port 8883"));
  EXPECT_THAT(describe(closed, plain).hint, HasSubstr("-V 311"));
}

TEST(Hint, NamesTheOptionsOfABridgeByTheirsNames) {
  Where bridge = plain;
  bridge.option_stem = "--bridge-";
  const Ending closed{.kind = Kind::connection_lost,
                      .error = {ErrorDomain::system, 0, "the server closed the connection"}};
  EXPECT_THAT(describe(closed, bridge).hint, HasSubstr("3.1.1 (--bridge-protocol-version 311)"));
  const Ending unknown{.kind = Kind::open_failed, .error = {ErrorDomain::tls, 18, "self-signed certificate"}};
  EXPECT_THAT(describe(unknown, bridge).hint, HasSubstr("--bridge-cafile"));
  bridge.port = 8883;
  EXPECT_EQ(describe(closed, bridge).hint, "port 8883 usually speaks TLS: use a mqtts:// URL");
}

TEST(Hint, PlainServerBehindATlsClientIsRecognised) {
  const Ending ending{.kind = Kind::open_failed,
                      .error = {ErrorDomain::tls, 0, "TLS handshake failed: wrong version number"}};
  EXPECT_EQ(describe(ending, tls).hint, "the server does not seem to speak TLS on this port");
}

TEST(Hint, UnknownIssuerNeedsItsCa) {
  const Ending ending{.kind = Kind::open_failed, .error = {ErrorDomain::tls, 18, "self-signed certificate"}};
  EXPECT_THAT(describe(ending, tls).hint, HasSubstr("--cafile"));
}

TEST(Hint, RefusedUpgradeIsExplainedByItsStatus) {
  const auto hint = [](int status) {
    return describe(Ending{.kind = Kind::open_failed, .error = {ErrorDomain::websocket, status, "x"}}, plain)
        .hint;
  };
  EXPECT_THAT(hint(404), HasSubstr("--ws-path"));
  EXPECT_THAT(hint(403), HasSubstr("--ws-header"));
  EXPECT_EQ(hint(500), "");
}

TEST(Sentence, LossAfterConnackIsALoss) {
  const Ending lost{.kind = Kind::connection_lost,
                    .error = {ErrorDomain::system, 104, "reset by peer"},
                    .was_connected = true};
  EXPECT_EQ(describe(lost, plain).text, "connection to broker.lan:1883 lost: reset by peer");
  EXPECT_EQ(describe(lost, plain).hint, "");
  EXPECT_EQ(describe_retry(lost, plain, 1234567891ns).text,
            "connection to broker.lan:1883 lost: reset by peer; next attempt in 1.235s");
  EXPECT_EQ(describe(Ending{.kind = Kind::ping_timeout}, plain).text,
            "connection to broker.lan:1883 lost: no answer to PINGREQ");
}

TEST(Sentence, RefusedMessageAndSubscriptionNameThemselves) {
  mqtt::Properties properties;
  properties.add(mqtt::PropertyId::reason_string, "no way");
  EXPECT_EQ(publish_rejected("a/b", ReasonCode::not_authorized, properties).text,
            "message to 'a/b' rejected: Not authorized (0x87): no way");
  EXPECT_EQ(subscription_refused("a/#", ReasonCode::topic_filter_invalid, {}).text,
            "subscription to 'a/#' refused: Topic Filter invalid (0x8F)");
  EXPECT_THAT(subscription_refused("a/#", ReasonCode::unspecified_error, {}).hint, HasSubstr("access rules"));
}

TEST(Sentence, LocalRefusalAndDeadline) {
  const Error error{ErrorDomain::session, 1, "the server takes packets up to 100 bytes"};
  EXPECT_EQ(cannot_publish("t", error).text,
            "cannot publish to 't': the server takes packets up to 100 bytes");
  EXPECT_EQ(cannot_subscribe("f", error).text,
            "cannot subscribe to 'f': the server takes packets up to 100 bytes");
  EXPECT_EQ(deadline_reached(5s, "2 of 10 messages received").text,
            "deadline of 5s reached: 2 of 10 messages received");
}

}  // namespace
}  // namespace mq
