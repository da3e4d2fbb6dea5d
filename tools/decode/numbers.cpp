#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "common/json_writer.hpp"
#include "decode/formats.hpp"

namespace mq {
namespace {

std::uint64_t read_bits(mqtt::Bytes bytes, bool big_endian) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bits = bits << 8 | bytes[big_endian ? i : bytes.size() - 1 - i];
  return bits;
}

std::int64_t sign_extended(std::uint64_t bits, std::size_t size) {
  const auto unused = static_cast<int>(64 - 8 * size);
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

void write_number(JsonWriter& json, const NumberFormat& format, mqtt::Bytes bytes) {
  const std::uint64_t bits = read_bits(bytes, format.big_endian);
  switch (format.kind) {
    case NumberKind::unsigned_integer: return json.number(bits);
    case NumberKind::signed_integer: return json.number(sign_extended(bits, format.size));
    case NumberKind::floating: break;
  }
  if (format.size == sizeof(float))
    return write_float(json, std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  write_double(json, std::bit_cast<double>(bits));
}

/// The shortest that reads back as the same value of the same width: 0.1f is 0.1.
template <class T>
void write_shortest(JsonWriter& json, T value) {
  if (std::isnan(value)) return json.string("NaN");
  if (std::isinf(value)) return json.string(value > 0 ? "Infinity" : "-Infinity");
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  json.raw({text.data(), static_cast<std::size_t>(end - text.data())});
}

}  // namespace

void write_double(JsonWriter& json, double value) { write_shortest(json, value); }
void write_float(JsonWriter& json, float value) { write_shortest(json, value); }

const std::vector<NumberFormat>& number_formats() {
  static const std::vector<NumberFormat> all = [] {
    std::vector<NumberFormat> formats;
    const auto add = [&formats](std::string_view stem, NumberKind kind, std::size_t size) {
      const std::string name = fmt::format("{}{}", stem, 8 * size);
      if (size == 1) return formats.push_back({name, kind, size, true});
      formats.push_back({name + "be", kind, size, true});
      formats.push_back({name + "le", kind, size, false});
    };
    for (const std::size_t size : {1U, 2U, 4U, 8U}) add("int", NumberKind::signed_integer, size);
    for (const std::size_t size : {1U, 2U, 4U, 8U}) add("uint", NumberKind::unsigned_integer, size);
    for (const std::size_t size : {4U, 8U}) add("float", NumberKind::floating, size);
    return formats;
  }();
  return all;
}

std::expected<void, std::string> decode_numbers(const NumberFormat& format, mqtt::Bytes payload,
                                                std::string& json) {
  if (payload.empty() || payload.size() % format.size != 0)
    return std::unexpected(fmt::format("has {} bytes, not a multiple of {}", payload.size(), format.size));
  JsonWriter writer{json};
  if (payload.size() == format.size)
    write_number(writer, format, payload);
  else
    (void)write_number_array(writer, format, payload);
  return {};
}

bool write_number_array(JsonWriter& json, const NumberFormat& format, mqtt::Bytes bytes) {
  if (bytes.size() % format.size != 0) return false;
  json.begin_array();
  for (; !bytes.empty(); bytes = bytes.subspan(format.size))
    write_number(json, format, bytes.first(format.size));
  json.end_array();
  return true;
}

}  // namespace mq
