#include "messages/value_filter.hpp"

#include <algorithm>

#include <mqtt/util/base64.hpp>

#include "common/json_writer.hpp"

namespace mq {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void append_url(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    out += {'%', hex_upper[byte >> 4], hex_upper[byte & 15]};
  }
}

/// In single quotes nothing is special but a single quote.
void append_shell_word(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text)
    if (c == '\'')
      out += R"('\'')";
    else
      out += c;
  out += '\'';
}

}  // namespace

void append_csv_field(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_hex(std::string& out, std::string_view bytes, std::string_view alphabet, std::size_t group,
                char separator) {
  const std::size_t digits = 2 * bytes.size();
  for (std::size_t i = 0; i < digits; ++i) {
    if (group > 0 && i > 0 && i % group == 0) out += separator;
    const auto byte = static_cast<std::uint8_t>(bytes[i / 2]);
    out += alphabet[i % 2 == 0 ? byte >> 4 : byte & 15];
  }
}

void append_filtered(std::string& out, std::string_view text, FormatFilter filter) {
  switch (filter) {
    case FormatFilter::none: out += text; return;
    case FormatFilter::json: return JsonWriter{out}.text_or_base64(mqtt::as_bytes(text));
    case FormatFilter::sh: return append_shell_word(out, text);
    case FormatFilter::hex: return append_hex(out, text, hex_lower, 0, ' ');
    case FormatFilter::base64: return mqtt::append_base64(out, mqtt::as_bytes(text));
    case FormatFilter::url: return append_url(out, text);
    case FormatFilter::csv: return append_csv_field(out, text);
  }
}

}  // namespace mq
