#pragma once
#include <cstddef>
#include <optional>

#include <mqtt/util/bytes.hpp>

namespace mqtt {

/// What may be wrong with a UTF-8 Encoded String (MQTT 5.0, 1.5.4; 3.1.1, 1.5.3).
enum class Utf8Fault : std::uint8_t { ill_formed, nul };

/// What is wrong, and where.
struct Utf8Error {
  Utf8Fault fault;
  std::size_t offset;  ///< of the first byte of the offending sequence
};

/// Nothing if `bytes` are well-formed UTF-8 (Unicode 15, table 3-7: no overlong form, no surrogate,
/// nothing above U+10FFFF) without U+0000. Non-characters and control characters are allowed: the
/// specification only says that they SHOULD NOT be used.
[[nodiscard]] std::optional<Utf8Error> find_utf8_error(Bytes bytes);

[[nodiscard]] inline bool is_mqtt_utf8(Bytes bytes) { return !find_utf8_error(bytes); }

}  // namespace mqtt
