#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include <mqtt/util/bytes.hpp>

// One decoder each; the contract is that of Decoder.

namespace mq {

/// Tags are passed over; byte strings become {"base64": ...}, integer keys text.
[[nodiscard]] std::expected<void, std::string> decode_cbor(mqtt::Bytes payload, std::string& json);
[[nodiscard]] std::expected<void, std::string> decode_msgpack(mqtt::Bytes payload, std::string& json);
[[nodiscard]] std::expected<void, std::string> decode_bson(mqtt::Bytes payload, std::string& json);
[[nodiscard]] std::expected<void, std::string> decode_ubjson(mqtt::Bytes payload, std::string& json);
[[nodiscard]] std::expected<void, std::string> decode_sparkplug(mqtt::Bytes payload, std::string& json);

enum class NumberKind : std::uint8_t { signed_integer, unsigned_integer, floating };

struct NumberFormat {
  std::string name;  ///< "int16be"
  NumberKind kind;
  std::size_t size;  ///< bytes: 1, 2, 4 or 8
  bool big_endian;
};

[[nodiscard]] const std::vector<NumberFormat>& number_formats();
/// One number, or, of several, an array. What JSON has no number for is a string: "NaN", "Infinity".
[[nodiscard]] std::expected<void, std::string> decode_numbers(const NumberFormat& format, mqtt::Bytes payload,
                                                              std::string& json);

class JsonWriter;
/// All of them in an array; false if the bytes are not a multiple of one.
[[nodiscard]] bool write_number_array(JsonWriter& json, const NumberFormat& format, mqtt::Bytes bytes);

/// No deeper than this: what JsonWriter holds, and readers take.
inline constexpr unsigned decoded_depth_max = 60;

/// A number, or a string for what JSON has no number for.
void write_double(JsonWriter& json, double value);
void write_float(JsonWriter& json, float value);
/// A key of any bytes; what is not UTF-8 in it becomes U+FFFD.
void write_key(JsonWriter& json, std::string_view key);

}  // namespace mq
