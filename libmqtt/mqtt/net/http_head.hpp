#pragma once
#include <optional>
#include <string_view>
#include <vector>

namespace mqtt::net {

/// The head of an HTTP/1.1 message, as views into it.
struct HttpHead {
  /// A header field.
  struct Field {
    std::string_view name;
    std::string_view value;  // without white space around it
  };

  std::string_view start_line;
  std::vector<Field> fields;

  /// All values of a field, in order.
  [[nodiscard]] std::vector<std::string_view> values(std::string_view name) const;
  /// The value of a field that must stand exactly once.
  [[nodiscard]] std::optional<std::string_view> single(std::string_view name) const;
  /// The members of a comma-separated list, over all fields of that name.
  [[nodiscard]] std::vector<std::string_view> list(std::string_view name) const;
  [[nodiscard]] bool lists(std::string_view name, std::string_view member) const;
};

/// Strict RFC 9112: CRLF after each line, no folding, no white space before the colon, no control
/// characters. `text` is a whole head with its empty line.
[[nodiscard]] std::optional<HttpHead> parse_http_head(std::string_view text);

/// The first line of a response.
struct HttpStatus {
  bool http_1_1 = false;  ///< else HTTP/1.0, or a later 1.x
  int code = 0;
  std::string_view reason;
};

[[nodiscard]] std::optional<HttpStatus> parse_http_status(std::string_view line);

/// A field name, method or subprotocol (RFC 9110 section 5.6.2).
[[nodiscard]] bool is_http_token(std::string_view text);
/// Printable bytes, spaces and tabs.
[[nodiscard]] bool is_http_field_value(std::string_view text);

}  // namespace mqtt::net
