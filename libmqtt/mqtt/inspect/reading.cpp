#include <mqtt/inspect/reading.hpp>

#include <algorithm>

#include <mqtt/codec/clauses.hpp>

namespace mqtt {
namespace {

/// What is wrong with the length of `packet`.
std::optional<DecodeError> length_fault(Bytes packet, Varint length, Version version) {
  const auto malformed = [&](Clause clause, std::string_view what, std::size_t at) {
    return DecodeError{ReasonCode::malformed_packet, clause.id(version), what,
                       static_cast<std::uint32_t>(at)};
  };
  if (length.size == 0 && packet.size() > 4)
    return malformed(clauses::varint_four_bytes, "remaining length is longer than four bytes", 1);
  if (length.size != 0 && varint_size(length.value) != length.size)
    return malformed(clauses::varint_minimal, "remaining length is not in its shortest form", 1);
  if (length.size == 0 || packet.size() < 1u + length.size + length.value)
    return malformed(clauses::length_fits, "the packet is cut", packet.size());
  return std::nullopt;
}

/// Where the packet was cut something is missing, which nobody has done wrong.
void forgive_end(Reading& reading, std::size_t end) {
  const auto is_of_end = [&](const DecodeError& fault) {
    for (const Clause& known : {clauses::length_fits, clauses::property_length})
      if (reading.body_read && (fault.clause == known.v5 || fault.clause == known.v3_1_1)) return true;
    return fault.offset >= end;
  };
  std::erase_if(reading.faults, is_of_end);
}

}  // namespace

Varint read_varint(Bytes in) {
  Varint out;
  const std::size_t limit = std::min<std::size_t>(in.size(), 4);
  for (std::size_t i = 0; i < limit; ++i) {
    out.value |= (in[i] & 0x7Fu) << (7 * i);
    if ((in[i] & 0x80) == 0) return {out.value, static_cast<std::uint8_t>(i + 1)};
  }
  return {};
}

Bytes first_packet(Bytes bytes) {
  const Varint length = read_varint(bytes.subspan(1));
  if (length.size == 0) return bytes.first(std::min<std::size_t>(bytes.size(), packet_size_max));
  return bytes.first(std::min<std::size_t>(bytes.size(), 1u + length.size + length.value));
}

Reading read_packet(Bytes packet, DecodeContext context) {
  const Varint length = read_varint(packet.subspan(1));
  const auto fault = length_fault(packet, length, context.version);
  if (length.size == 0) return {.packet = {}, .faults = {*fault}, .body_read = 0};
  const Frame frame{packet, static_cast<std::uint8_t>(1 + length.size)};
  Reading reading = decode_all(frame, context);
  const auto there = static_cast<std::uint32_t>(frame.body().size());
  if (there < length.value) {
    forgive_end(reading, packet.size());
    reading.body_read = std::min(reading.body_read.value_or(there), there);
  }
  if (fault) reading.faults.insert(reading.faults.begin(), *fault);
  return reading;
}

}  // namespace mqtt
