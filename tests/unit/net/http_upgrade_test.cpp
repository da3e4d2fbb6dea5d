#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mqtt/net/http_head.hpp>
#include <mqtt/net/http_upgrade.hpp>

namespace mqtt::net::test {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// The example of RFC 6455 section 1.3.
const WsKey key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr const char* accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

WsOptions mqtt_options() {
  WsOptions options;
  options.path = "/mqtt?X-Amz-Signature=secret";
  options.host = "broker:8080";
  options.subprotocols = {"mqtt"};
  return options;
}

std::string response(std::string_view fields, std::string_view status = "101 Switching Protocols") {
  return "HTTP/1.1 " + std::string{status} + "\r\n" + std::string{fields} + "\r\n";
}

std::string good_fields() {
  return "upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: " +
         std::string{accept} + "\r\nSec-WebSocket-Protocol: mqtt\r\n";
}

/// good_fields() with one line replaced or removed.
std::string fields_with(std::string_view line_start, const std::string& instead) {
  std::string fields = good_fields();
  const std::size_t at = fields.find(line_start);
  return fields.replace(at, fields.find("\r\n", at) + 2 - at, instead);
}

std::string failure(const std::string& head, const WsOptions& options = mqtt_options()) {
  const auto checked = check_upgrade_response(head, options, key);
  if (checked) return "";
  EXPECT_EQ(checked.error().domain, ErrorDomain::websocket);
  return checked.error().context;
}

TEST(HttpHead, ReadsFieldsWithoutTheirWhiteSpace) {
  const auto head = parse_http_head("HTTP/1.1 200 OK\r\nA:1\r\nb: \t two words \t\r\nA: 3\r\nEmpty:\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->start_line, "HTTP/1.1 200 OK");
  EXPECT_THAT(head->values("a"), ElementsAre("1", "3"));
  EXPECT_EQ(head->single("B"), "two words");
  EXPECT_EQ(head->single("empty"), "");
  EXPECT_FALSE(head->single("a"));
  EXPECT_FALSE(head->single("c"));
}

TEST(HttpHead, SplitsLists) {
  const auto head = parse_http_head("X\r\nList: a, b ,,c\r\nlist: d\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_THAT(head->list("List"), ElementsAre("a", "b", "c", "d"));
  EXPECT_TRUE(head->lists("LIST", "D"));
  EXPECT_FALSE(head->lists("list", "e"));
}

TEST(HttpHead, RefusesWhatRfc9112Forbids) {
  using namespace std::string_literals;
  for (const std::string& head :
       {"X\nA: 1\n\n"s, "X\r\nA: 1\r\n"s, "X\r\nno colon\r\n\r\n"s, "X\r\nA : 1\r\n\r\n"s,
        "X\r\n A: 1\r\n\r\n"s, "X\r\n: 1\r\n\r\n"s, "X\r\nA: 1\r\n folded\r\n\r\n"s, "X\r\nA: \x01\r\n\r\n"s,
        "X\r\nA: 1\r2\r\n\r\n"s, "X\r\nA: 1\n2\r\n\r\n"s, "X\r\nA: \0\r\n\r\n"s, "X\r\n\r\nrest"s, ""s,
        "\r\n"s})
    EXPECT_FALSE(parse_http_head(head)) << head;
}

TEST(HttpHead, SizeIsFoundWithinTheLimitOnly) {
  EXPECT_EQ(http_head_size(as_bytes("HTTP/1.1 101 X\r\n\r\nrest")), 18u);
  EXPECT_FALSE(http_head_size(as_bytes("HTTP/1.1 101 X\r\n\r")));
  const std::string padding(http_head_max_bytes - 4, 'x');
  EXPECT_EQ(http_head_size(as_bytes(padding + "\r\n\r\n")), http_head_max_bytes);
  EXPECT_FALSE(http_head_size(as_bytes(padding + "x\r\n\r\n")));
}

TEST(UpgradeRequest, HasWhatRfc6455AsksForAndThePathVerbatim) {
  WsOptions options = mqtt_options();
  options.subprotocols = {"mqtt", "mqttv3.1"};
  options.headers = {{"X-Token", "a b"}};
  EXPECT_EQ(
      format_upgrade_request(options, key).value(),
      "GET /mqtt?X-Amz-Signature=secret HTTP/1.1\r\nHost: broker:8080\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Protocol: mqtt, mqttv3.1\r\nX-Token: a b\r\n\r\n");
}

TEST(UpgradeRequest, RefusesWhatWouldBreakItsLines) {
  const auto refused = [](auto change) {
    WsOptions options = mqtt_options();
    change(options);
    return !format_upgrade_request(options, key).has_value();
  };
  EXPECT_TRUE(refused([](WsOptions& o) { o.path = "mqtt"; }));
  EXPECT_TRUE(refused([](WsOptions& o) { o.path = "/a b"; }));
  EXPECT_TRUE(refused([](WsOptions& o) { o.path = "/a\r\nX: y"; }));
  EXPECT_TRUE(refused([](WsOptions& o) { o.host = ""; }));
  EXPECT_TRUE(refused([](WsOptions& o) { o.host = "a\r\nX: y"; }));
  EXPECT_TRUE(refused([](WsOptions& o) { o.subprotocols = {"a,b"}; }));
  EXPECT_TRUE(refused([](WsOptions& o) { o.headers = {{"X Y", "1"}}; }));
  EXPECT_TRUE(refused([](WsOptions& o) { o.headers = {{"X", "1\n2"}}; }));
  EXPECT_TRUE(refused([](WsOptions& o) { o.headers = {{"host", "other"}}; }));
  EXPECT_TRUE(refused([](WsOptions& o) { o.headers = {{"sec-websocket-version", "8"}}; }));
}

TEST(UpgradeResponse, AcceptsTheExampleOfRfc6455) {
  EXPECT_EQ(ws_accept_for(key), accept);
  EXPECT_EQ(check_upgrade_response(response(good_fields()), mqtt_options(), key).value(), "mqtt");
}

TEST(UpgradeResponse, NamesStatusAndPathButNotTheQuery) {
  const auto checked = check_upgrade_response(response("", "404 Not Found"), mqtt_options(), key);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, 404);
  EXPECT_EQ(checked.error().context, "server answered HTTP 404 Not Found to the WebSocket upgrade of /mqtt");
}

TEST(UpgradeResponse, NamesTheLocationOfARedirect) {
  EXPECT_EQ(failure(response("Location: https://other/\r\n", "301 Moved Permanently")),
            "server answered HTTP 301 Moved Permanently to the WebSocket upgrade of /mqtt and points to "
            "https://other/");
}

TEST(UpgradeResponse, EscapesWhatTheServerSays) {
  EXPECT_THAT(failure(response("", "403 No\x7f")), Not(HasSubstr("\x7f")));
  EXPECT_THAT(failure(response("", "403 caf\xe9")), HasSubstr("caf\\xe9"));
}

TEST(UpgradeResponse, StatusWithoutReason) {
  EXPECT_EQ(failure("HTTP/1.1 200\r\n\r\n"), "server answered HTTP 200 to the WebSocket upgrade of /mqtt");
  EXPECT_EQ(failure("HTTP/1.0 503 \r\n\r\n"), "server answered HTTP 503 to the WebSocket upgrade of /mqtt");
}

TEST(UpgradeResponse, RefusesEachMissingOrWrongPart) {
  EXPECT_EQ(failure(response(fields_with("upgrade:", ""))),
            "server did not upgrade to WebSocket: no 'Upgrade: websocket'");
  EXPECT_EQ(failure(response(fields_with("Connection:", "Connection: close\r\n"))),
            "server did not upgrade to WebSocket: no 'Connection: Upgrade'");
  EXPECT_EQ(failure(response(fields_with("Sec-WebSocket-Accept:", ""))),
            "server did not upgrade to WebSocket: no Sec-WebSocket-Accept");
  EXPECT_EQ(failure(response(fields_with("Sec-WebSocket-Accept:", "Sec-WebSocket-Accept: AAAA\r\n"))),
            "server's Sec-WebSocket-Accept does not belong to this request");
  EXPECT_EQ(failure(response(fields_with("Sec-WebSocket-Protocol:", ""))),
            "server did not select the subprotocol 'mqtt'");
  EXPECT_EQ(failure(response(fields_with("Sec-WebSocket-Protocol:", "Sec-WebSocket-Protocol: wamp\r\n"))),
            "server selected the subprotocol 'wamp', which was not offered");
  EXPECT_EQ(failure(response(good_fields() + "Sec-WebSocket-Protocol: mqtt\r\n")),
            "server selected more than one subprotocol");
  EXPECT_EQ(failure(response(good_fields() + "Sec-WebSocket-Extensions: permessage-deflate\r\n")),
            "server selected a WebSocket extension that was not offered");
  EXPECT_EQ(failure("HTTP/1.0 101 X\r\n" + good_fields() + "\r\n"),
            "server answered the WebSocket upgrade in HTTP/1.0");
}

TEST(UpgradeResponse, RefusesMalformedStatusLines) {
  for (const char* line :
       {"HTTP/1.1 abc X", "HTTP/1.1 10", "HTTP/1.1  101 X", "HTTP/2 101 X", "HTTP/1.1 1011 X",
        "http/1.1 101 X", "HTTP/1.1", "", "HTTP/1.1 099 X", "HTTP/1.1 +10 X"})
    EXPECT_EQ(failure(std::string{line} + "\r\n" + good_fields() + "\r\n"),
              "the server's answer to the WebSocket upgrade is not HTTP/1.1")
        << line;
}

TEST(UpgradeResponse, NoSubprotocolIsFineIfNoneWasOffered) {
  WsOptions options = mqtt_options();
  options.subprotocols.clear();
  EXPECT_EQ(failure(response(fields_with("Sec-WebSocket-Protocol:", "")), options), "");
  EXPECT_NE(failure(response(good_fields()), options), "");
}

TEST(UpgradeAnswer, AcceptsOurOwnRequest) {
  const std::string request = format_upgrade_request(mqtt_options(), key).value();
  const auto answer = answer_upgrade_request(request, {"/mqtt", {"mqtt"}});
  EXPECT_FALSE(answer.refusal);
  EXPECT_EQ(answer.subprotocol, "mqtt");
  EXPECT_EQ(check_upgrade_response(answer.response, mqtt_options(), key).value(), "mqtt");
}

TEST(UpgradeAnswer, PrefersItsOwnOrder) {
  WsOptions options = mqtt_options();
  options.subprotocols = {"mqttv3.1", "mqtt"};
  const std::string request = format_upgrade_request(options, key).value();
  EXPECT_EQ(answer_upgrade_request(request, {"", {"mqtt", "mqttv3.1"}}).subprotocol, "mqtt");
  EXPECT_EQ(answer_upgrade_request(request, {}).subprotocol, "");
}

/// The status a request is refused with after `what` was replaced by `with` in a good one; 0 if it is not.
int status_after(const std::string& what, const std::string& with) {
  std::string request = format_upgrade_request(mqtt_options(), key).value();
  request.replace(request.find(what), what.size(), with);
  const auto answer = answer_upgrade_request(request, {"/mqtt", {"mqtt"}});
  EXPECT_EQ(answer.response.substr(9, 3), answer.refusal ? std::to_string(answer.refusal->code) : "101");
  return answer.refusal ? answer.refusal->code : 0;
}

TEST(UpgradeAnswer, RefusesEachMissingOrWrongPart) {
  EXPECT_EQ(status_after("GET ", "GET "), 0);
  EXPECT_EQ(status_after("GET ", "POST "), 400);
  EXPECT_EQ(status_after("HTTP/1.1", "HTTP/1.0"), 400);
  EXPECT_EQ(status_after("Host: broker:8080\r\n", ""), 400);
  EXPECT_EQ(status_after("/mqtt?", "/other?"), 404);
  EXPECT_EQ(status_after("Upgrade: websocket", "Upgrade: h2c"), 426);
  EXPECT_EQ(status_after("Connection: Upgrade", "Connection: close"), 426);
  EXPECT_EQ(status_after("Version: 13", "Version: 8"), 426);
  EXPECT_EQ(status_after("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="), 400);
  EXPECT_EQ(status_after("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"), 400);
  EXPECT_EQ(status_after("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400);
  EXPECT_EQ(status_after("Protocol: mqtt", "Protocol: wamp"), 400);
  EXPECT_EQ(status_after("Host: ", "Ho st: "), 400);
}

TEST(UpgradeAnswer, TellsTheVersionItSpeaks) {
  std::string request = format_upgrade_request(mqtt_options(), key).value();
  request.replace(request.find("Version: 13"), 11, "Version: 8");
  const auto answer = answer_upgrade_request(request, {});
  EXPECT_THAT(answer.response, StartsWith("HTTP/1.1 426 Upgrade Required\r\n"));
  EXPECT_THAT(answer.response, HasSubstr("\r\nSec-WebSocket-Version: 13\r\n"));
  EXPECT_THAT(answer.response, EndsWith("only WebSocket version 13 is spoken here\n"));
}

TEST(HttpBeginning, IsJudgedFromTheFirstByte) {
  EXPECT_TRUE(may_be_http_response(as_bytes("")));
  EXPECT_TRUE(may_be_http_response(as_bytes("HTT")));
  EXPECT_TRUE(may_be_http_response(as_bytes("HTTP/1.0 4")));
  EXPECT_FALSE(may_be_http_response(as_bytes("\x20\x02")));
  EXPECT_TRUE(may_be_http_request(as_bytes("")));
  EXPECT_TRUE(may_be_http_request(as_bytes("PO")));
  EXPECT_TRUE(may_be_http_request(as_bytes("GET /")));
  EXPECT_FALSE(may_be_http_request(as_bytes("\x10\x0c")));
  EXPECT_FALSE(may_be_http_request(as_bytes(" GET")));
  EXPECT_FALSE(may_be_http_request(as_bytes("AAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
}

}  // namespace
}  // namespace mqtt::net::test
