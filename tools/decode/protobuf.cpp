#include "decode/protobuf.hpp"

namespace mq {

std::optional<std::uint64_t> WireReader::varint() {
  constexpr unsigned bits_max = 64;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < bits_max && !rest_.empty(); shift += 7) {
    const std::uint8_t byte = rest_.front();
    rest_ = rest_.subspan(1);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

bool WireReader::read_fixed(WireField& field, std::size_t size) {
  if (rest_.size() < size) return false;
  for (std::size_t i = 0; i < size; ++i) field.value |= std::uint64_t{rest_[i]} << (8 * i);
  rest_ = rest_.subspan(size);
  return true;
}

bool WireReader::read_value(WireField& field) {
  switch (field.type) {
    case WireField::Type::fixed64: return read_fixed(field, 8);
    case WireField::Type::fixed32: return read_fixed(field, 4);
    case WireField::Type::varint:
    case WireField::Type::bytes: break;
    default: return false;
  }
  const auto number = varint();
  if (!number) return false;
  if (field.type == WireField::Type::varint) {
    field.value = *number;
    return true;
  }
  if (*number > rest_.size()) return false;
  field.bytes = rest_.first(*number);
  rest_ = rest_.subspan(*number);
  return true;
}

std::optional<WireField> WireReader::next() {
  constexpr std::uint64_t number_max = (1U << 29) - 1;
  if (rest_.empty() || broken_) return std::nullopt;
  const auto tag = varint();
  if (tag && *tag >> 3 != 0 && *tag >> 3 <= number_max) {
    WireField field{.number = static_cast<std::uint32_t>(*tag >> 3),
                    .type = static_cast<WireField::Type>(*tag & 7)};
    if (read_value(field)) return field;
  }
  broken_ = true;
  return std::nullopt;
}

}  // namespace mq
