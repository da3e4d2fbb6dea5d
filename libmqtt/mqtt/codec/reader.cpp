#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/reader.hpp>

namespace mqtt {

std::uint32_t Reader::variable_byte_integer() {
  const std::uint32_t at = offset();
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    const std::uint8_t octet = byte();
    value |= (octet & 0x7Fu) << shift;
    if (octet & 0x80) continue;
    require(octet != 0 || shift == 0, clauses::varint_minimal,
            "variable byte integer is not in its shortest form", ReasonCode::malformed_packet, at);
    return value;
  }
  fail(clauses::varint_four_octets, "variable byte integer is longer than four octets",
       ReasonCode::malformed_packet, at);
  return 0;
}

void Reader::fail(Clause clause, std::string_view what, ReasonCode reason, std::uint32_t at) {
  if (!ok()) return;
  error_ = {reason, clause.id(version_), what, at};
  at_ = end_;
}

void Reader::fail_truncated() {
  fail(clauses::length_fits, "the packet ends inside a field", ReasonCode::malformed_packet, offset());
}

void Reader::fail_utf8(Bytes field, Utf8Error fault) {
  const auto at =
      start_ + static_cast<std::uint32_t>(field.data() - begin_ + static_cast<std::ptrdiff_t>(fault.offset));
  if (fault.fault == Utf8Fault::nul)
    fail(clauses::string_without_nul, "string contains U+0000", ReasonCode::malformed_packet, at);
  else
    fail(clauses::string_well_formed, "string is not well-formed UTF-8", ReasonCode::malformed_packet, at);
}

PropertiesView Reader::some_properties(PropertyPlace place, Sender sender) {
  const std::uint32_t length_at = offset();
  const std::uint32_t size = variable_byte_integer();
  if (size > left()) {
    fail(clauses::property_length, "properties are longer than the packet", ReasonCode::malformed_packet,
         length_at);
    return {};
  }
  const std::uint32_t at = offset();
  const auto checked = validate_properties(take(size), place, sender);
  if (checked) return *checked;
  fail(Clause{checked.error().clause}, checked.error().what, checked.error().reason,
       at + checked.error().offset);
  return {};
}

}  // namespace mqtt
