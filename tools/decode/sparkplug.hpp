#pragma once
#include <cstdint>
#include <span>
#include <string_view>

// What the fields of a Sparkplug B payload are: Eclipse Sparkplug 3.0, 6.4 and its appendix.

namespace mq::sparkplug {

enum class Kind : std::uint8_t { integer, flag, text, bytes, data_type, message };

struct MessageSpec;

struct FieldSpec {
  std::uint32_t number;
  std::string_view key;
  Kind kind;
  bool repeated = false;
  const MessageSpec* message = nullptr;
};

/// Messages with a value have its data type in one field, and the value in one of several: a 32-bit integer
/// in `first_value`, and after it a 64-bit one, a float, a double, a flag, a text and what `more` says.
struct MessageSpec {
  std::span<const FieldSpec> fields;
  std::uint32_t data_type = 0;
  std::uint32_t first_value = 0;  ///< 0: no value
  std::span<const FieldSpec> more = {};
};

extern const MessageSpec payload;
extern const MessageSpec data_set;

/// "Int8" to "DateTimeArray"; "" for a number that has no name.
[[nodiscard]] std::string_view data_type_name(std::uint64_t type);

}  // namespace mq::sparkplug
