// The head of an upgrade: first byte even: a server's response, odd: a client's request.
#include <algorithm>
#include <cstdlib>

#include <mqtt/net/http_head.hpp>
#include <mqtt/net/http_upgrade.hpp>

using namespace mqtt;
using namespace mqtt::net;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

const WsKey key = "dGhlIHNhbXBsZSBub25jZQ==";

WsOptions offer() {
  WsOptions options;
  options.path = "/mqtt?q";
  options.host = "h";
  options.subprotocols = {"mqtt", "mqttv3.1"};
  return options;
}

bool is_one_line(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

void check_response(std::string_view head) {
  const WsOptions options = offer();
  const auto checked = check_upgrade_response(head, options, key);
  if (!checked) {
    require(checked.error().domain == ErrorDomain::websocket && is_one_line(checked.error().context));
    // The query may be a secret: it is not repeated, unless the server does.
    require(head.contains(options.path) || !checked.error().context.contains(options.path));
    return;
  }
  require(std::ranges::find(options.subprotocols, *checked) != options.subprotocols.end());
  require(head.find(ws_accept_for(key)) != std::string_view::npos);
}

void check_request(std::string_view head) {
  const WsServerOptions options{"/mqtt", {"mqtt"}};
  const UpgradeAnswer answer = answer_upgrade_request(head, options);
  const auto size = http_head_size(as_bytes(answer.response));
  require(size.has_value());
  const std::string_view answered = std::string_view{answer.response}.substr(0, *size);
  require(parse_http_head(answered).has_value());
  require(answer.refusal.has_value() != answer.response.starts_with("HTTP/1.1 101 "));
  if (answer.refusal) return require(is_one_line(answer.refusal->context) && answer.refusal->code >= 400);
  // What we accept, a client with that key must accept, too.
  const auto request = parse_http_head(head);
  const std::string sent_key{request->single("Sec-WebSocket-Key").value()};
  require(check_upgrade_response(answered, offer(), sent_key).value() == "mqtt");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes received{data + 1, size - 1};
  static_cast<void>(may_be_http_response(received));
  static_cast<void>(may_be_http_request(received));
  const auto whole = http_head_size(received);
  require(!whole || (*whole <= http_head_max_bytes && as_text(received.first(*whole)).ends_with("\r\n\r\n")));
  const std::string_view head = as_text(received.first(whole.value_or(received.size())));
  if (data[0] % 2 == 0)
    check_response(head);
  else
    check_request(head);
  return 0;
}
