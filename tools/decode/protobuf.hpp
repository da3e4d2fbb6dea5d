#pragma once
#include <cstdint>
#include <optional>

#include <mqtt/util/bytes.hpp>

namespace mq {

/// One field of a protocol-buffers message as it stands on the wire: what it means is for a schema to say.
struct WireField {
  enum class Type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  std::uint32_t number = 0;
  Type type = Type::varint;
  std::uint64_t value = 0;  ///< of a number
  mqtt::Bytes bytes{};      ///< of a text, bytes or a message
};

/// Reads the fields of one message, in the order of the wire. Groups, which are long gone from the format,
/// are not read.
class WireReader {
 public:
  explicit WireReader(mqtt::Bytes message) : rest_{message} {}

  /// Nothing at the end, and after a fault.
  [[nodiscard]] std::optional<WireField> next();
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  [[nodiscard]] std::optional<std::uint64_t> varint();
  [[nodiscard]] bool read_value(WireField& field);
  [[nodiscard]] bool read_fixed(WireField& field, std::size_t size);

  mqtt::Bytes rest_;
  bool broken_ = false;
};

}  // namespace mq
