#include <algorithm>

#include <mqtt/inspect/dissect.hpp>
#include <mqtt/inspect/rules.hpp>
#include <mqtt/util/utf8.hpp>

// Hints: what no one has to do, and what is probably meant otherwise.

namespace mqtt::rules {
namespace {

using enum PacketType;
using Stage = OpenMessage::Stage;

/// A QoS 0 message has no packet identifier; text behind two bytes that could be one was probably written
/// by somebody who thinks otherwise.
void check_id_in_payload(Judge& j) {
  const auto& p = *j.as<PublishView>();
  if (p.qos != QoS::at_most_once || p.payload.size() < 3 || p.payload[0] != 0 || p.payload[1] == 0) return;
  const Bytes rest = p.payload.subspan(2);
  if (std::ranges::all_of(rest, [](std::uint8_t byte) { return byte >= 0x20; }) && is_mqtt_utf8(rest))
    j.report("Payload", fmt::format("packet identifier {}?", p.payload[1]));
}

/// Of the code points that SHOULD NOT be used, the bytes that they may begin with.
bool may_begin_disallowed(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F || byte == 0xC2 || byte == 0xEF || byte >= 0xF0;
}

/// The code point that well-formed UTF-8 begins with.
std::uint32_t code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return first;
  if (first < 0xE0) return (first & 0x1F) << 6 | (byte(1) & 0x3F);
  if (first < 0xF0) return (first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  return (first & 7) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
}

bool is_disallowed(std::uint32_t point) {
  const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
  const bool none_character = (point >= 0xFDD0 && point <= 0xFDEF) || (point & 0xFFFE) == 0xFFFE;
  return control || none_character;
}

/// The first code point of a string that it should not have; nothing if it has none.
std::optional<std::uint32_t> find_disallowed(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (may_begin_disallowed(text[i]) && is_disallowed(code_point(text.substr(i))))
      return code_point(text.substr(i));
  return std::nullopt;
}

/// Most packets have no string, or only a topic that is quickly looked through.
bool may_have_disallowed(const Judge& j) {
  const PacketView& packet = *j.packet().packet;
  if (const auto* p = std::get_if<PublishView>(&packet))
    return !p->properties.empty() || std::ranges::any_of(p->topic, may_begin_disallowed);
  return j.type() == connect || j.type() == subscribe || j.type() == unsubscribe ||
         !properties_of(packet).empty();
}

void check_code_points(Judge& j) {
  if (!may_have_disallowed(j)) return;
  Dissection d;
  dissect(d, j.packet().bytes, {j.packet().version, j.sender()});
  for (const Field& field : d.fields) {
    if (field.kind != FieldKind::text && field.kind != FieldKind::pair) continue;
    const auto key = find_disallowed(field.key), text = find_disallowed(field.text);
    if (key || text)
      return j.report_bytes(field.offset, field.size, fmt::format("U+{:04X}", *(key ? key : text)));
  }
}

/// A client that waits so long for a PINGRESP has not noticed.
constexpr Duration pingresp_wait = std::chrono::seconds{30};

void check_pingresp_wait(Judge& j) {
  const auto& pings = j.state.pings;
  if (j.state.all_seen() && !j.state.side(client).disconnect && !pings.empty() &&
      j.now() - pings.front().time > std::max(pingresp_wait, j.state.keep_alive()))
    j.report_at_end(client, {}, pings.front().number);
}

/// The message of a PUBREL that nothing was published for.
void check_not_found(Judge& j) {
  const auto& p = *j.as<PubcompView>();
  const auto message = j.peer().messages.find(p.packet_id);
  if (p.reason == ReasonCode::success && j.fresh_session() && message != j.peer().messages.end() &&
      message->second.first.number == 0)
    j.report("Packet Identifier", fmt::format("{}", p.packet_id), message->second.last.number);
}

bool is_overdue(const Judge& j, const Step& step) { return j.now() - step.time > answer_grace; }

/// Something that `sender` owes, and that does not count against its quota.
std::uint64_t owed_by(const Judge& j, Sender sender) {
  for (const auto& [id, message] : j.state.side(other(sender)).messages)
    if (message.stage != Stage::received && is_overdue(j, message.last)) return message.last.number;
  if (sender == client) return 0;
  for (const auto& [id, request] : j.state.requests)
    if (is_overdue(j, request.step)) return request.step.number;
  return !j.state.pings.empty() && is_overdue(j, j.state.pings.front()) ? j.state.pings.front().number : 0;
}

void check_quota_blocks(Judge& j, Sender sender) {
  const SideState& side = j.state.side(sender);
  if (!j.state.all_seen() || !j.state.accepted() || side.disconnect) return;
  const std::size_t maximum = j.state.side(other(sender)).receive_maximum;
  const std::uint64_t owed = side.messages.size() >= maximum ? owed_by(j, sender) : 0;
  if (owed != 0) j.report_at_end(sender, fmt::format("Receive Maximum is {}", maximum), owed);
}
void check_quota_blocks_client(Judge& j) { check_quota_blocks(j, client); }
void check_quota_blocks_server(Judge& j) { check_quota_blocks(j, server); }

constexpr std::uint32_t with_strings = on(connect, connack, publish, puback, pubrec, pubrel, pubcomp,
                                          subscribe, suback, unsubscribe, unsuback, disconnect, auth);

constexpr Rule hint_table[] = {
    {{none, "MQTT-2.3.1-5"},
     Severity::info,
     "QoS 0 payload begins like a packet identifier",
     on(publish),
     check_id_in_payload},
    {{"v5#1.5.4/disallowed", "v311#1.5.3/disallowed"},
     Severity::info,
     "string with a control character or a non-character",
     with_strings,
     check_code_points},
    {{"v5#3.1.2.10/pingresp-wait", "v311#3.1.2.10/pingresp-wait"},
     Severity::info,
     "client kept waiting for a PINGRESP",
     at_close,
     check_pingresp_wait},
    {{"v5#3.7.2/not-found", none},
     Severity::info,
     "PUBCOMP says Success to a packet identifier that was not under way",
     on(pubcomp),
     check_not_found},
    {{"MQTT-3.3.4-8", none},
     Severity::info,
     "client owed answers while its quota was used up",
     at_close,
     check_quota_blocks_client},
    {{"MQTT-3.3.4-10", none},
     Severity::info,
     "server owed answers while its quota was used up",
     at_close,
     check_quota_blocks_server},
};

}  // namespace

std::span<const Rule> hinting() { return hint_table; }

}  // namespace mqtt::rules
