#include "mqspy/redaction.hpp"

namespace mq::spy {
namespace {

/// Packets that have room for a secret.
bool may_hold_secrets(std::uint32_t type) {
  using enum mqtt::PacketType;
  const auto packet = static_cast<mqtt::PacketType>(type);
  return packet == connect || packet == connack || packet == auth;
}

}  // namespace

std::vector<SecretRange> secret_ranges(const mqtt::Dissection& dissection) {
  std::vector<SecretRange> ranges;
  if (dissection.fields.size() < 2 || !may_hold_secrets(dissection.fields[1].number)) return ranges;
  for (const mqtt::Field& field : dissection.fields) {
    if (field.kind != mqtt::FieldKind::secret && field.kind != mqtt::FieldKind::raw) continue;
    const auto size = static_cast<std::uint32_t>(field.text.size());
    ranges.push_back({field.offset + field.size - size, size});
  }
  return ranges;
}

std::string redacted(mqtt::Bytes packet, mqtt::DecodeContext context) {
  std::string out = mqtt::to_string(packet);
  if (packet.empty() || !may_hold_secrets(packet[0] >> 4)) return out;
  mqtt::Dissection dissection;
  mqtt::dissect(dissection, packet, context);
  for (const SecretRange& range : secret_ranges(dissection))
    out.replace(range.offset, range.size, range.size, '*');
  // What stands behind a packet that could not be delimited.
  std::uint32_t end = 0;
  for (const mqtt::Field& field : dissection.fields) end = std::max(end, field.offset + field.size);
  if (end < out.size()) out.replace(end, std::string::npos, out.size() - end, '*');
  return out;
}

std::string redacted_change(mqtt::Bytes original, mqtt::Bytes changed, mqtt::DecodeContext context) {
  std::string out = redacted(changed, context);
  const std::string_view plain = mqtt::as_text(original);
  const std::string hidden = redacted(original, context);
  if (hidden == plain) return out;
  // Nobody can say where the secret is now.
  if (out.size() != plain.size() && out == mqtt::as_text(changed)) return std::string(out.size(), '*');
  for (std::size_t i = 0; i < out.size(); ++i)
    if (i >= plain.size() || hidden[i] != plain[i]) out[i] = '*';
  return out;
}

}  // namespace mq::spy
