#pragma once
#include <algorithm>
#include <string>

#include <mqtt/codec/property.hpp>
#include <mqtt/codec/types.hpp>
#include <mqtt/util/bytes.hpp>

namespace mqtt {

inline void append_varint(std::string& out, std::uint32_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

/// Writes fields into bytes that were counted before: it does not check for room.
class Writer {
 public:
  explicit Writer(std::uint8_t* at) : at_{at} {}

  void byte(std::uint8_t value) { *at_++ = value; }
  void two_byte_integer(std::uint16_t value) {
    byte(static_cast<std::uint8_t>(value >> 8));
    byte(static_cast<std::uint8_t>(value & 0xFF));
  }
  void variable_byte_integer(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
  }
  void raw(Bytes bytes) {
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  /// Two bytes of length and the field: at most 65,535 bytes.
  void field(Bytes bytes) {
    two_byte_integer(static_cast<std::uint16_t>(bytes.size()));
    raw(bytes);
  }
  void field(std::string_view text) { field(as_bytes(text)); }
  void properties(PropertiesView properties) {
    variable_byte_integer(static_cast<std::uint32_t>(properties.encoded().size()));
    raw(properties.encoded());
  }

 private:
  std::uint8_t* at_;
};

}  // namespace mqtt
