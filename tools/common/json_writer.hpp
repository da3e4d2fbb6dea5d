#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <mqtt/util/bytes.hpp>

namespace mq {

/// Appends compact JSON to a string that the caller owns; commas come by themselves. No allocation
/// once the string has grown. Depth at most 63.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_{&out} {}

  void begin_object();
  void end_object();
  void begin_array();
  void end_array();

  /// `name` is written as it is: it must need no escaping.
  void key(std::string_view name);

  /// Well-formed UTF-8, which is not checked. Only what JSON demands is escaped: '"', '\\' and U+0000
  /// to U+001F.
  void string(std::string_view text);
  /// A string if `bytes` are UTF-8 text without U+0000, else {"base64":"..."}.
  void text_or_base64(mqtt::Bytes bytes);
  void base64(mqtt::Bytes bytes);

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  void number(T value) {
    if constexpr (std::signed_integral<T>)
      signed_number(value);
    else
      unsigned_number(value);
  }
  /// The shortest text that reads back as `value`; null for what JSON has no number for.
  void number(double value);
  void boolean(bool value);
  void null();
  /// JSON text made elsewhere.
  void raw(std::string_view json);

  /// key() and the value.
  void field(std::string_view name, std::string_view text) { key(name), string(text); }
  void field(std::string_view name, const char* text) { key(name), string(text); }
  void field(std::string_view name, std::same_as<bool> auto value) { key(name), boolean(value); }
  template <class T>
    requires((std::integral<T> || std::floating_point<T>) && !std::same_as<T, bool>)
  void field(std::string_view name, T value) {
    key(name), number(value);
  }

 private:
  [[nodiscard]] bool take_comma();
  void before_value();
  void open(char bracket);
  void close(char bracket);
  void signed_number(std::int64_t value);
  void unsigned_number(std::uint64_t value);

  std::string* out_;
  std::uint64_t has_items_ = 0;  // bit n: the container at depth n is not empty
  unsigned depth_ = 0;
  bool after_key_ = false;
};

}  // namespace mq
