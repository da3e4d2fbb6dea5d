#include <mqtt/inspect/flow.hpp>

#include <algorithm>

#include <mqtt/codec/clauses.hpp>
#include <mqtt/inspect/dissect.hpp>

namespace mqtt {
namespace {

constexpr unsigned bit(PacketType type) { return 1u << static_cast<unsigned>(type); }

constexpr unsigned client_types = bit(PacketType::connect) | bit(PacketType::subscribe) |
                                  bit(PacketType::unsubscribe) | bit(PacketType::pingreq);
constexpr unsigned server_types = bit(PacketType::connack) | bit(PacketType::suback) |
                                  bit(PacketType::unsuback) | bit(PacketType::pingresp);

bool flags_plausible(std::uint8_t first_octet) {
  const auto type = static_cast<PacketType>(first_octet >> 4);
  const unsigned flags = first_octet & 0x0F;
  if (type == PacketType::publish) return (flags & 6) != 6 && (flags & 14) != 8;
  const bool two =
      type == PacketType::pubrel || type == PacketType::subscribe || type == PacketType::unsubscribe;
  return two ? (flags & 7) == 2 : flags == 0;
}

/// The size of the packet that seems to begin `bytes`; 0 if none does.
std::size_t plausible_size(Bytes bytes, Sender sender) {
  if (bytes.size() < 2) return 0;
  const unsigned type = bytes[0] >> 4;
  const unsigned wrong_way = sender == Sender::client ? server_types : client_types;
  if (type == 0 || (1u << type & wrong_way) != 0 || !flags_plausible(bytes[0])) return 0;
  std::size_t size = 0;
  for (std::size_t i = 1; i < std::min<std::size_t>(bytes.size(), 5); ++i) {
    size |= std::size_t{bytes[i] & 0x7Fu} << (7 * (i - 1));
    if ((bytes[i] & 0x80) == 0) return size + i + 1;
  }
  return 0;
}

/// The Framer knows no version: it names its clauses as 5.0 does.
std::string_view clause_in(Version version, std::string_view clause) {
  for (const Clause& known : {clauses::varint_minimal, clauses::varint_four_octets})
    if (known.v5 == clause) return known.id(version);
  return clause;
}

}  // namespace

std::optional<std::size_t> find_packet_start(Bytes bytes, Sender sender) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const std::size_t size = plausible_size(bytes.subspan(at), sender);
    if (size == 0 || size > bytes.size() - at) continue;
    const Bytes behind = bytes.subspan(at + size);
    if (behind.empty() || plausible_size(behind, sender) != 0) return at;
  }
  return std::nullopt;
}

Flow::Flow(Start start, std::optional<Version> version)
    : version_known_{start == Start::connection || version} {
  state_.version = version.value_or(Version::v5);
  state_.from_connect = start == Start::connection;
  for (const Sender sender : {Sender::client, Sender::server}) {
    if (start == Start::middle) gap(sender);
    if (start == Start::excerpt) state_.side(sender).partial = true;
  }
}

void Flow::gap(Sender sender) {
  Direction& direction = directions_[static_cast<std::size_t>(sender)];
  skipped_ += direction.framer.held();
  direction.framer.reset();
  direction.seeking = true;
  state_.side(sender).partial = true;
}

void Flow::receive(Sender sender, TimePoint now, Bytes bytes, FlowWatcher& handler) {
  Direction& direction = directions_[static_cast<std::size_t>(sender)];
  if (!state_.began) state_.began = now;
  state_.side(sender).octets += bytes.size();
  if (direction.seeking) {
    const std::size_t start = find_packet_start(bytes, sender).value_or(bytes.size());
    skipped_ += start;
    bytes = bytes.subspan(start);
    direction.seeking = bytes.empty();
  }
  while (!direction.seeking) {
    const Bytes before = bytes;
    const auto frame = direction.framer.next(bytes);
    if (!frame) return give_up(sender, now, before, frame.error(), handler);
    if (!*frame) return;
    hand_over(sender, now, **frame, handler);
  }
}

/// Nothing tells where the next packet begins.
void Flow::give_up(Sender sender, TimePoint now, Bytes bytes, const DecodeError& fault,
                   FlowWatcher& handler) {
  FlowPacket packet{
      .step = {++state_.packets, now}, .sender = sender, .bytes = bytes, .version = state_.version};
  packet.fault = fault;
  packet.fault->clause = clause_in(state_.version, fault.clause);
  pass_on(packet, handler);
  gap(sender);
  skipped_ += bytes.size();
}

void Flow::hand_over(Sender sender, TimePoint now, const Frame& frame, FlowWatcher& handler) {
  FlowPacket packet{
      .step = {++state_.packets, now}, .sender = sender, .bytes = frame.bytes, .version = state_.version};
  decode_frame(frame, packet);
  if (packet.packet) {
    packet.answers = state_.answered(sender, *packet.packet);
    if (const auto* publish = std::get_if<PublishView>(&*packet.packet)) {
      const auto alias = publish->properties.number_or(PropertyId::topic_alias, 0);
      packet.topic = publish->topic.empty()
                         ? state_.side(sender).aliases.find(static_cast<std::uint16_t>(alias))
                         : publish->topic;
    }
  }
  pass_on(packet, handler);
}

void Flow::pass_on(FlowPacket& packet, FlowWatcher& handler) {
  if (packet.fault) take_version_of_connect(packet);
  handler.before_packet(packet, state_);
  SideState& side = state_.side(packet.sender);
  if (packet.packet) {
    state_.apply(packet.sender, packet.step, *packet.packet);
  } else {
    side.partial = true;
    const auto type = static_cast<PacketType>(packet.bytes[0] >> 4);
    if (!side.fault) side.fault = {packet.step, type, packet.fault->clause};
  }
  ++side.packets;
  side.last = packet.step;
  handler.after_packet(packet, state_);
}

/// A broken CONNECT says its version, too, and its faults go by that.
void Flow::take_version_of_connect(FlowPacket& packet) {
  if (packet.bytes[0] >> 4 != static_cast<unsigned>(PacketType::connect) || state_.connect) return;
  Dissection d;
  dissect(d, packet.bytes, {packet.version, packet.sender});
  for (const Field& field : d.fields)
    if (field.name.starts_with("Protocol ") && field.size == 1 && field.number >= 3 && field.number <= 5)
      packet.version = state_.version = static_cast<Version>(field.number);
}

/// In the middle of a connection the version is the first that its packets can be read in.
void Flow::decode_frame(const Frame& frame, FlowPacket& out) {
  auto decoded = decode(frame, {state_.version, out.sender});
  if (!decoded) out.fault = decoded.error();
  for (const Version guess : {Version::v5, Version::v3_1_1, Version::v3_1}) {
    if (decoded || version_known_) break;
    decoded = decode(frame, {guess, out.sender});
    if (decoded) state_.version = guess;
  }
  if (!decoded) return;
  out.fault.reset();
  out.packet = *decoded;
  if (const auto* connect = std::get_if<ConnectView>(&*decoded)) {
    version_known_ = true;
    state_.version = connect->version;
  }
  out.version = state_.version;
}

void Flow::give_up_rest(Sender sender, TimePoint now, FlowWatcher& handler) {
  Framer& framer = directions_[static_cast<std::size_t>(sender)].framer;
  const std::vector<std::uint8_t> kept(framer.held_bytes().begin(), framer.held_bytes().end());
  if (kept.empty()) return;
  framer.reset();
  give_up(sender, now, kept,
          {ReasonCode::malformed_packet, clauses::length_fits.id(state_.version), "the packet is cut",
           static_cast<std::uint32_t>(kept.size())},
          handler);
}

void Flow::close(const FlowClose& close, FlowWatcher& handler) { handler.on_close(close, state_); }

}  // namespace mqtt
