#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace mqtt {

/// Reads a SCRAM message, "r=VALUE,s=VALUE,…", attribute by attribute.
class ScramMessage {
 public:
  explicit ScramMessage(std::string_view text) : rest_{text} {}

  /// The value of the next attribute, if that is `name`, up to the comma behind it.
  [[nodiscard]] std::optional<std::string_view> take(char name);
  /// The same, of an attribute that must not be empty and is base64: its bytes.
  [[nodiscard]] std::optional<std::string> take_bytes(char name);
  /// Whether what is left are extensions (attributes of any name), or nothing.
  [[nodiscard]] bool rest_is_extensions();

 private:
  std::string_view rest_;
  bool at_start_ = true;
};

/// Printable ASCII without comma, at least one byte (RFC 5802, section 7: "nonce").
[[nodiscard]] bool is_scram_nonce(std::string_view text);
/// A user's name with ',' and '=' as =2C and =3D, and back; nothing if another '=' stands there, or no text.
[[nodiscard]] std::string to_scram_name(std::string_view user);
[[nodiscard]] std::optional<std::string> from_scram_name(std::string_view name);

}  // namespace mqtt
