#include <mqtt/inspect/flow.hpp>

#include <algorithm>
#include <utility>

#include <mqtt/inspect/dissect.hpp>
#include <mqtt/inspect/reading.hpp>

namespace mqtt {
namespace {

constexpr unsigned bit(PacketType type) { return 1u << static_cast<unsigned>(type); }

constexpr unsigned client_types = bit(PacketType::connect) | bit(PacketType::subscribe) |
                                  bit(PacketType::unsubscribe) | bit(PacketType::pingreq);
constexpr unsigned server_types = bit(PacketType::connack) | bit(PacketType::suback) |
                                  bit(PacketType::unsuback) | bit(PacketType::pingresp);

bool flags_plausible(std::uint8_t first_byte) {
  const auto type = static_cast<PacketType>(first_byte >> 4);
  const unsigned flags = first_byte & 0x0F;
  if (type == PacketType::publish) return (flags & 6) != 6 && (flags & 14) != 8;
  const bool two =
      type == PacketType::pubrel || type == PacketType::subscribe || type == PacketType::unsubscribe;
  return two ? (flags & 7) == 2 : flags == 0;
}

/// A length at `at`, and where the bytes that it counts begin; nothing if it is not one.
struct Length {
  std::size_t value = 0;
  std::size_t behind = 0;
};
std::optional<Length> length_at(Bytes bytes, std::size_t at) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < 4 && at + i < bytes.size(); ++i) {
    value |= std::size_t{bytes[at + i] & 0x7Fu} << (7 * i);
    if ((bytes[at + i] & 0x80) == 0) return Length{value, at + i + 1};
  }
  return std::nullopt;
}

/// The size of the packet that seems to begin `bytes`; 0 if none does.
std::size_t plausible_size(Bytes bytes, Sender sender) {
  if (bytes.size() < 2) return 0;
  const unsigned type = bytes[0] >> 4;
  const unsigned wrong_way = sender == Sender::client ? server_types : client_types;
  if (type == 0 || (1u << type & wrong_way) != 0 || !flags_plausible(bytes[0])) return 0;
  const auto length = length_at(bytes, 1);
  return length ? length->value + length->behind : 0;
}

bool begins_publish(Bytes front) { return front[0] >> 4 == static_cast<unsigned>(PacketType::publish); }

/// Where the payload of the PUBLISH that begins `front` begins; nothing if that cannot be read.
std::optional<std::size_t> payload_start(Bytes front, std::size_t header_size, Version version) {
  if (front.size() < header_size + 2) return std::nullopt;
  std::size_t at = header_size + 2 + (std::size_t{front[header_size]} << 8 | front[header_size + 1]);
  if ((front[0] & 6) != 0) at += 2;
  if (version != Version::v5) return at;
  const auto properties = length_at(front, at);
  return properties ? std::optional{properties->behind + properties->value} : std::nullopt;
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
  if (direction.rest) skipped_ += direction.rest->kept.size() + direction.rest->left_out;
  direction.rest.reset();
  direction.seeking = true;
  state_.side(sender).partial = true;
}

void Flow::receive(Sender sender, TimePoint now, Bytes bytes, FlowWatcher& handler) {
  Direction& direction = directions_[static_cast<std::size_t>(sender)];
  if (!state_.began) state_.began = now;
  state_.side(sender).bytes += bytes.size();
  if (direction.seeking) {
    const std::size_t start = find_packet_start(bytes, sender).value_or(bytes.size());
    skipped_ += start;
    bytes = bytes.subspan(start);
    direction.seeking = bytes.empty();
  }
  while (!direction.seeking) {
    if (direction.rest) {
      const auto passing = std::min<std::uint64_t>(direction.rest->to_come, bytes.size());
      bytes = bytes.subspan(passing);
      if (!take_rest(sender, now, passing, handler)) return;
    }
    const auto frame = direction.framer.next(bytes);
    if (!frame) return give_up_stream(sender, now, bytes, handler);
    if (!*frame) return keep_front(direction);
    const auto& [whole, header_size] = **frame;
    const Keeping keeping = keeping_of(whole, header_size, whole.size(), state_.version);
    FlowPacket packet = next_packet(sender, now, whole.first(keeping.size), whole.size() - keeping.size);
    keeping.unread ? pass_on(packet, handler) : hand_over(packet, header_size, handler);
  }
}

/// How much is kept of a packet of this size, of which `front` is there: its head at least.
Flow::Keeping Flow::keeping_of(Bytes front, std::size_t header_size, std::size_t packet_size,
                               Version version) {
  if (packet_size <= packet_kept_max) return {packet_size};
  if (!begins_publish(front)) return {unread_kept, true};
  const std::size_t start = payload_start(front, header_size, version).value_or(packet_size + 1);
  // A topic or properties that end behind the packet are a fault, which its front shows.
  if (start > packet_size) return {header_size + payload_kept_max};
  if (start > packet_kept_max) return {unread_kept, true};
  return {std::min(packet_size, start + payload_kept_max)};
}

/// Once there is enough of a packet. Where a PUBLISH's payload begins can be told by then.
void Flow::keep_front(Direction& direction) {
  const Bytes held = direction.framer.held_bytes();
  if (held.size() < unread_kept || (begins_publish(held) && held.size() < payload_kept_max)) return;
  const Length length = *length_at(held, 1);
  const std::size_t size = length.behind + length.value;
  const Keeping keeping = keeping_of(held, length.behind, size, state_.version);
  if (keeping.size < size && keeping.size <= held.size()) begin_rest(direction, keeping);
}

void Flow::begin_rest(Direction& direction, Keeping keeping) {
  const Bytes held = direction.framer.held_bytes();
  const Length length = *length_at(held, 1);
  direction.rest = {.kept = {held.begin(), held.begin() + static_cast<std::ptrdiff_t>(keeping.size)},
                    .header_size = static_cast<std::uint8_t>(length.behind),
                    .unread = keeping.unread,
                    .left_out = held.size() - keeping.size,
                    .to_come = length.behind + length.value - held.size()};
  direction.framer.reset();
}

/// Whether all of it has come, and it was handed over.
bool Flow::take_rest(Sender sender, TimePoint now, std::uint64_t count, FlowWatcher& handler) {
  std::optional<LongPacket>& rest = directions_[static_cast<std::size_t>(sender)].rest;
  rest->to_come -= count;
  rest->left_out += count;
  if (rest->to_come > 0) return false;
  const LongPacket whole = *std::exchange(rest, std::nullopt);
  FlowPacket packet = next_packet(sender, now, whole.kept, whole.left_out);
  whole.unread ? pass_on(packet, handler) : hand_over(packet, whole.header_size, handler);
  return true;
}

void Flow::leave_out(Sender sender, TimePoint now, std::uint64_t count, FlowWatcher& handler) {
  Direction& direction = directions_[static_cast<std::size_t>(sender)];
  if (!direction.rest) {
    const Bytes held = direction.framer.held_bytes();
    const auto length = held.empty() ? std::nullopt : length_at(held, 1);
    if (!length) return gap(sender);
    const auto start =
        begins_publish(held) ? payload_start(held, length->behind, state_.version) : std::nullopt;
    const bool in_payload = start && *start <= held.size();
    if (!in_payload && length->behind + length->value <= packet_kept_max) return gap(sender);
    begin_rest(direction,
               in_payload ? Keeping{held.size()} : Keeping{std::min(held.size(), unread_kept), true});
  }
  const auto passing = std::min(direction.rest->to_come, count);
  state_.side(sender).bytes += passing;
  (void)take_rest(sender, now, passing, handler);
}

FlowPacket Flow::next_packet(Sender sender, TimePoint now, Bytes kept, std::uint64_t left_out) {
  return {.step = {++state_.packets, now},
          .sender = sender,
          .bytes = kept,
          .version = state_.version,
          .left_out = left_out};
}

/// No packet begins with the bytes that are held and `bytes`.
void Flow::give_up_stream(Sender sender, TimePoint now, Bytes bytes, FlowWatcher& handler) {
  Framer& framer = directions_[static_cast<std::size_t>(sender)].framer;
  std::vector<std::uint8_t> all{framer.held_bytes().begin(), framer.held_bytes().end()};
  all.insert(all.end(), bytes.begin(), bytes.end());
  framer.reset();
  give_up(next_packet(sender, now, all, 0), read_packet(first_packet(all), {state_.version, sender}),
          handler);
}

/// Nothing tells where the next packet begins.
void Flow::give_up(FlowPacket packet, Reading broken, FlowWatcher& handler) {
  keep_certain(broken, packet);
  packet.broken = &broken;
  pass_on(packet, handler);
  gap(packet.sender);
  skipped_ += packet.size();
}

void Flow::hand_over(FlowPacket& packet, std::uint8_t header_size, FlowWatcher& handler) {
  const Frame frame{packet.bytes, header_size};
  decode_frame(frame, packet);
  if (!packet.packet) return hand_over_broken(packet, frame, handler);
  packet.answers = state_.answered(packet.sender, *packet.packet);
  if (const auto* publish = std::get_if<PublishView>(&*packet.packet)) {
    const auto alias = publish->properties.number_or(PropertyId::topic_alias, 0);
    packet.topic = publish->topic.empty()
                       ? state_.side(packet.sender).aliases.find(static_cast<std::uint16_t>(alias))
                       : publish->topic;
  }
  pass_on(packet, handler);
}

void Flow::hand_over_broken(FlowPacket& packet, const Frame& frame, FlowWatcher& handler) {
  Reading broken = decode_all(frame, {state_.version, packet.sender});
  keep_certain(broken, packet);
  packet.broken = &broken;
  const PacketView* const view = packet.readable();
  if (const auto* publish = view ? std::get_if<PublishView>(view) : nullptr) packet.topic = publish->topic;
  pass_on(packet, handler);
}

/// Where the version is only guessed: the first fault, and those that every version would have.
void Flow::keep_certain(Reading& broken, const FlowPacket& packet) const {
  const bool says_version = packet.bytes[0] >> 4 == static_cast<unsigned>(PacketType::connect);
  if (version_known_ || says_version) return;
  for (const Version version : {Version::v5, Version::v3_1_1}) {
    const Reading other = read_packet(first_packet(packet.bytes), {version, packet.sender});
    const auto is_not_there = [&other](const DecodeError& fault) {
      return std::ranges::none_of(other.faults, [&fault](const DecodeError& each) {
        return each.what == fault.what && each.offset == fault.offset;
      });
    };
    auto& faults = broken.faults;
    faults.erase(std::remove_if(faults.begin() + 1, faults.end(), is_not_there), faults.end());
  }
}

void Flow::pass_on(FlowPacket& packet, FlowWatcher& handler) {
  if (!packet.packet) take_version_of_connect(packet);
  handler.before_packet(packet, state_);
  SideState& side = state_.side(packet.sender);
  if (packet.packet) {
    state_.apply(packet.sender, packet.step, *packet.packet);
  } else {
    side.partial = true;
    const auto type = static_cast<PacketType>(packet.bytes[0] >> 4);
    if (packet.broken && !side.fault) side.fault = {packet.step, type, packet.broken->faults.front().clause};
  }
  ++side.packets;
  side.last = packet.step;
  handler.after_packet(packet, state_);
}

/// A CONNECT that is broken, or too large, says its version, too, and its faults go by that.
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
  for (const Version guess : {Version::v5, Version::v3_1_1, Version::v3_1}) {
    if (decoded || version_known_) break;
    decoded = decode(frame, {guess, out.sender});
    if (decoded) state_.version = guess;
  }
  if (!decoded) return;
  out.packet = *decoded;
  if (const auto* connect = std::get_if<ConnectView>(&*decoded)) {
    version_known_ = true;
    state_.version = connect->version;
  }
  out.version = state_.version;
}

void Flow::give_up_rest(Sender sender, TimePoint now, FlowWatcher& handler) {
  auto& [framer, rest, seeking] = directions_[static_cast<std::size_t>(sender)];
  LongPacket cut = std::exchange(rest, std::nullopt).value_or(LongPacket{});
  if (cut.kept.empty()) cut.kept.assign(framer.held_bytes().begin(), framer.held_bytes().end());
  if (cut.kept.empty()) return;
  framer.reset();
  Reading broken = read_packet(cut.kept, {state_.version, sender});
  broken.faults.front().offset += static_cast<std::uint32_t>(cut.left_out);
  if (cut.unread) {
    broken.faults.resize(1);
    broken.packet.reset();
  }
  give_up(next_packet(sender, now, cut.kept, cut.left_out), std::move(broken), handler);
}

void Flow::close(const FlowClose& close, FlowWatcher& handler) { handler.on_close(close, state_); }

}  // namespace mqtt
