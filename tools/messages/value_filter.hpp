#pragma once
#include <string>
#include <string_view>

#include "messages/format_segment.hpp"

namespace mq {

/// Appends `text`, any bytes, as the filter makes it: a JSON string (or {"base64":...} if it is no text),
/// one word of a POSIX shell, hexadecimal digits, base64, percent-encoded (RFC 3986), a CSV field (RFC 4180).
void append_filtered(std::string& out, std::string_view text, FormatFilter filter);

/// A CSV field: quoted only where it must be.
void append_csv_field(std::string& out, std::string_view text);

/// Hexadecimal digits; `separator` after each `group` of them, but not at the end; 0 is no groups.
void append_hex(std::string& out, std::string_view bytes, std::string_view alphabet, std::size_t group,
                char separator);

inline constexpr std::string_view hex_lower = "0123456789abcdef";
inline constexpr std::string_view hex_upper = "0123456789ABCDEF";

}  // namespace mq
