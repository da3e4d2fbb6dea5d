#include <mqtt/inspect/rules.hpp>

// WebSocket below MQTT: its subprotocol, and the kind of its frames. The first packet of each side shows what
// the heads before it said. MQTT 3.1 has a subprotocol of another name, and no clause.

namespace mqtt::rules {
namespace {

using enum PacketType;

void check_offer(Judge& j) {
  if (!j.state.websocket.offers_mqtt && j.as<ConnectView>()->version != Version::v3_1) j.report();
}

void check_selection(Judge& j) {
  if (!j.state.websocket.selects_mqtt && j.state.websocket.offers_mqtt && j.state.version != Version::v3_1)
    j.report();
}

void check_text_frames(Judge& j) {
  for (const Sender sender : {client, server})
    if (j.state.websocket.sent_text[static_cast<std::size_t>(sender)]) j.report_at_end(sender);
}

constexpr Rule websocket_table[] = {
    {{"MQTT-6.0.0-1"}, Severity::error, "WebSocket text frame", at_close, check_text_frames},
    {{"MQTT-6.0.0-3"},
     Severity::error,
     "client's WebSocket request does not offer the subprotocol mqtt",
     on(connect),
     check_offer},
    {{"MQTT-6.0.0-4"},
     Severity::error,
     "server's WebSocket response does not select the subprotocol mqtt",
     on(connack),
     check_selection},
};

}  // namespace

std::span<const Rule> carrying() { return websocket_table; }

}  // namespace mqtt::rules
