#include <mqtt/codec/decode_parts.hpp>

namespace mqtt {

std::uint32_t Reader::variable_byte_integer() {
  const std::uint32_t at = offset();
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    const std::uint8_t next = byte();
    value |= (next & 0x7Fu) << shift;
    if (next & 0x80) continue;
    require(next != 0 || shift == 0, clauses::varint_minimal,
            "variable byte integer is not in its shortest form", ReasonCode::malformed_packet, at);
    return value;
  }
  lose(clauses::varint_four_bytes, "variable byte integer is longer than four bytes",
       ReasonCode::malformed_packet, at);
  return 0;
}

void Reader::fail(Clause clause, std::string_view what, ReasonCode reason, std::uint32_t at) {
  if (!all_) return lose(clause, what, reason, at);
  if (ok()) all_->add({reason, clause.id(version_), what, at});
}

void Reader::lose(Clause clause, std::string_view what, ReasonCode reason, std::uint32_t at) {
  if (!ok()) return;
  error_ = {reason, clause.id(version_), what, at};
  at_ = end_;
  if (!all_) return;
  all_->add(error_);
  all_->lose(at);
}

void Reader::fail_truncated() {
  lose(clauses::length_fits, "the packet ends inside a field", ReasonCode::malformed_packet, offset());
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
    lose(clauses::property_length, "properties are longer than the packet", ReasonCode::malformed_packet,
         length_at);
    return {};
  }
  const std::uint32_t at = offset();
  Reader in{take(size), version_, at, all_};
  const PropertiesView read = detail::read_properties(in, place, sender);
  if (in.ok()) return read;
  error_ = in.error_;
  at_ = end_;
  return all_ ? read : PropertiesView{};
}

}  // namespace mqtt
