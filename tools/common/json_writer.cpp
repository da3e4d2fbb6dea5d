#include "common/json_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include <mqtt/util/base64.hpp>
#include <mqtt/util/utf8.hpp>

namespace mq {
namespace {

constexpr std::string_view hex = "0123456789abcdef";
constexpr char as_code = 'u';  // \u00XX

/// For each byte: 0 if it stands for itself, else the letter behind the backslash.
constexpr auto escapes = [] {
  std::array<char, 256> letters{};
  for (std::size_t c = 0; c < 0x20; ++c) letters[c] = as_code;
  letters['"'] = '"';
  letters['\\'] = '\\';
  letters['\b'] = 'b';
  letters['\f'] = 'f';
  letters['\n'] = 'n';
  letters['\r'] = 'r';
  letters['\t'] = 't';
  letters[0x7F] = as_code;  // JSON allows DEL and U+0080 to U+009F, but terminals obey them
  return letters;
}();

constexpr std::size_t escape_max = 6;  // \u001b
constexpr char c1_lead = '\xC2';       // of U+0080 to U+00BF in UTF-8
constexpr std::size_t word_bytes = sizeof(std::uint64_t);
/// A long text is escaped in slices, so that room for the worst case is taken for one slice only.
constexpr std::size_t slice_bytes = 16 * 1024;

/// True if none of eight bytes needs escaping. May say false without need, never true.
bool plain_word(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t w) { return (w - ones) & ~w; };
  const std::uint64_t control = (word - ones * 0x20) & ~word;
  const std::uint64_t special = has_zero(word ^ ones * '"') | has_zero(word ^ ones * '\\') |
                                has_zero(word ^ ones * 0x7F) | has_zero(word ^ ones * 0xC2);
  return ((control | special) & highs) == 0;
}

char* put_code(char* at, char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  for (const char letter : {'\\', as_code, '0', '0', hex[byte >> 4], hex[byte & 15]}) *at++ = letter;
  return at;
}

/// Takes one byte from `from`, or the two of a control character.
char* put_escaped(char* at, const char*& from, const char* end) {
  const char c = *from++;
  const bool is_c1 = c == c1_lead && from < end && static_cast<std::uint8_t>(*from) < 0xA0;
  if (is_c1) return put_code(at, *from++);
  const char letter = escapes[static_cast<std::uint8_t>(c)];
  if (letter == as_code) return put_code(at, c);
  if (letter != 0) *at++ = '\\';
  *at++ = letter != 0 ? letter : c;
  return at;
}

char* put_escaped(char* at, std::string_view text) {
  const char* from = text.data();
  const char* const end = from + text.size();
  while (end - from >= static_cast<std::ptrdiff_t>(word_bytes)) {
    if (plain_word(from)) {
      std::memcpy(at, from, word_bytes);
      at += word_bytes;
      from += word_bytes;
      continue;
    }
    for (const char* const stop = from + word_bytes; from < stop;) at = put_escaped(at, from, end);
  }
  while (from < end) at = put_escaped(at, from, end);
  return at;
}

/// Grows `out` once for all that `put` writes: up to `most` bytes. `put` gives back their end.
template <class Put>
void append_with(std::string& out, std::size_t most, Put put) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + most, [&](char* data, std::size_t) {
    return static_cast<std::size_t>(put(data + before) - data);
  });
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::string_view slice = text.substr(0, slice_bytes);
    if (slice.size() < text.size() && slice.back() == c1_lead)
      slice.remove_suffix(1);  // it stays with its next
    text.remove_prefix(slice.size());
    append_with(out, escape_max * slice.size(), [slice](char* at) { return put_escaped(at, slice); });
  }
}

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 32> digits;
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), result.ptr);
}

}  // namespace

/// Whether a comma must come before the next value or key.
bool JsonWriter::take_comma() {
  if (after_key_) {
    after_key_ = false;
    return false;
  }
  const std::uint64_t bit = std::uint64_t{1} << depth_;
  const bool comma = depth_ > 0 && (has_items_ & bit) != 0;
  has_items_ |= bit;
  return comma;
}

void JsonWriter::before_value() {
  if (take_comma()) out_->push_back(',');
}

void JsonWriter::open(char bracket) {
  before_value();
  out_->push_back(bracket);
  ++depth_;
  has_items_ &= ~(std::uint64_t{1} << depth_);
}

void JsonWriter::close(char bracket) {
  --depth_;
  out_->push_back(bracket);
}

void JsonWriter::begin_object() { open('{'); }
void JsonWriter::end_object() { close('}'); }
void JsonWriter::begin_array() { open('['); }
void JsonWriter::end_array() { close(']'); }

void JsonWriter::key(std::string_view name) {
  const bool comma = take_comma();
  append_with(*out_, name.size() + 4, [=](char* at) {
    if (comma) *at++ = ',';
    *at++ = '"';
    at = std::ranges::copy(name, at).out;
    *at++ = '"';
    *at++ = ':';
    return at;
  });
  after_key_ = true;
}

void JsonWriter::string(std::string_view text) {
  before_value();
  if (text.size() > slice_bytes) {
    out_->push_back('"');
    append_escaped(*out_, text);
    out_->push_back('"');
    return;
  }
  append_with(*out_, escape_max * text.size() + 2, [text](char* at) {
    *at++ = '"';
    at = put_escaped(at, text);
    *at++ = '"';
    return at;
  });
}

void JsonWriter::base64(mqtt::Bytes bytes) {
  before_value();
  out_->push_back('"');
  mqtt::append_base64(*out_, bytes);
  out_->push_back('"');
}

void JsonWriter::text_or_base64(mqtt::Bytes bytes) {
  if (mqtt::is_mqtt_utf8(bytes)) return string(mqtt::as_text(bytes));
  begin_object();
  key("base64");
  base64(bytes);
  end_object();
}

void JsonWriter::signed_number(std::int64_t value) {
  before_value();
  append_number(*out_, value);
}

void JsonWriter::unsigned_number(std::uint64_t value) {
  before_value();
  append_number(*out_, value);
}

void JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  before_value();
  append_number(*out_, value);
}

void JsonWriter::boolean(bool value) { raw(value ? "true" : "false"); }

void JsonWriter::null() { raw("null"); }

void JsonWriter::raw(std::string_view json) {
  before_value();
  out_->append(json);
}

}  // namespace mq
