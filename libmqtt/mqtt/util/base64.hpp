#pragma once
#include <optional>
#include <string>

#include <mqtt/util/bytes.hpp>

namespace mqtt {

/// RFC 4648 section 4, with padding.
void append_base64(std::string& out, Bytes bytes);
[[nodiscard]] std::string to_base64(Bytes bytes);

/// Nothing unless `text` is exactly the padded RFC 4648 form: no white space, no bits left over.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace mqtt
