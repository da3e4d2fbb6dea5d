#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "mqspy/selector.hpp"

namespace mq::spy {

/// How the values of a field compare.
enum class FieldKind : std::uint8_t {
  text,
  payload,   ///< text, and a number if it looks like one
  number,    ///< bytes may have units
  flag,      ///< set or not
  duration,  ///< microseconds
  version,   ///< by the protocol level
  reason,    ///< a code, or its name
  choice,    ///< one of a few words, whatever their case
};

struct KnownField {
  FieldName name;
  FieldKind kind = FieldKind::text;
};

/// The field with this path: "qos", "payload.len", "props.message_expiry_interval",
/// "props.user_properties.KEY".
[[nodiscard]] std::optional<KnownField> find_field(std::string_view path);

/// The word of a choice as it is compared, or which ones there are: "PUBLISH", "c2s".
[[nodiscard]] std::expected<std::string, std::string> choice_word(SelectorField field, std::string_view text);

/// The protocol level of "5", "5.0", "3.1.1", "311", "4", "3.1", "31", "3".
[[nodiscard]] std::optional<double> version_number(std::string_view text);

/// Whether both name the same reason code: "not authorized", "Not_authorized".
[[nodiscard]] bool same_words(std::string_view a, std::string_view b);

}  // namespace mq::spy
