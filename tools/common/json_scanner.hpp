#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mq {

/// A value as it stands in the text.
struct RawJson {
  std::string_view text;         ///< without blanks around it
  std::string_view with_blanks;  ///< from behind the ':' up to the ',' or bracket that follows
};

/// Walks over one JSON text, RFC 8259, by its grammar: each step takes something or remembers the first
/// fault and gives false (nothing) from then on. The text must be well-formed UTF-8.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_{text} {}

  /// Blanks, then `c`.
  [[nodiscard]] bool take(char c);
  /// Blanks, then perhaps `c`.
  [[nodiscard]] bool take_if(char c);
  /// The next byte that is no blank; '\0' at the end.
  [[nodiscard]] char peek();
  /// A string; `storage` is used only if it has escapes. \u0000 is one byte 0.
  [[nodiscard]] std::optional<std::string_view> string(std::string& storage);
  /// Any one value, which is checked.
  [[nodiscard]] std::optional<RawJson> value();
  /// Only blanks are left.
  [[nodiscard]] bool at_end();

  /// Always false.
  bool fail(std::string_view what) { return fail(what, at_); }
  bool fail(std::string_view what, std::size_t offset);
  [[nodiscard]] bool failed() const { return !what_.empty(); }
  [[nodiscard]] const std::string& what() const { return what_; }
  [[nodiscard]] std::size_t fault_offset() const { return fault_at_; }
  [[nodiscard]] std::size_t offset() const { return at_; }

 private:
  void skip_blanks();
  [[nodiscard]] bool skip_string();
  [[nodiscard]] bool skip_containers();
  [[nodiscard]] bool unescape(std::string_view raw, std::string& storage);
  [[nodiscard]] std::optional<unsigned> code_unit(std::string_view& rest);

  std::string_view text_;
  std::size_t at_ = 0;
  std::string what_;
  std::size_t fault_at_ = 0;
};

}  // namespace mq
