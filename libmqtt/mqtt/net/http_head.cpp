#include <mqtt/net/http_head.hpp>

#include <algorithm>

#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

bool is_token_char(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) return true;
  return c != '\0' && std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// The line at the front of `text`, which loses it and its CRLF.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

std::optional<HttpHead::Field> parse_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_http_token(line.substr(0, colon))) return std::nullopt;
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_http_field_value(value)) return std::nullopt;
  return HttpHead::Field{line.substr(0, colon), value};
}

}  // namespace

bool is_http_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool is_http_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

std::optional<HttpHead> parse_http_head(std::string_view text) {
  HttpHead head;
  const auto start_line = take_line(text);
  if (!start_line || !is_http_field_value(*start_line)) return std::nullopt;
  head.start_line = *start_line;
  while (const auto line = take_line(text)) {
    if (line->empty()) return text.empty() ? std::optional{std::move(head)} : std::nullopt;
    const auto field = parse_field(*line);
    if (!field) return std::nullopt;
    head.fields.push_back(*field);
  }
  return std::nullopt;
}

std::optional<HttpStatus> parse_http_status(std::string_view line) {
  constexpr std::size_t version_size = 9;  // "HTTP/1.1 "
  if (!line.starts_with("HTTP/1.") || line.size() < version_size + 3 || line[version_size - 1] != ' ')
    return std::nullopt;
  const auto code = parse_number<unsigned>(line.substr(version_size, 3));
  const std::string_view rest = line.substr(version_size + 3);
  if (!code || *code < 100 || (!rest.empty() && !rest.starts_with(' '))) return std::nullopt;
  return HttpStatus{line[7] == '1', static_cast<int>(*code),
                    rest.substr(std::min<std::size_t>(rest.size(), 1))};
}

std::vector<std::string_view> HttpHead::values(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const Field& field : fields)
    if (equal_ignoring_case(field.name, name)) found.push_back(field.value);
  return found;
}

std::optional<std::string_view> HttpHead::single(std::string_view name) const {
  const auto found = values(name);
  return found.size() == 1 ? std::optional{found.front()} : std::nullopt;
}

std::vector<std::string_view> HttpHead::list(std::string_view name) const {
  std::vector<std::string_view> members;
  for (std::string_view value : values(name)) {
    while (!value.empty()) {
      const std::size_t comma = std::min(value.find(','), value.size());
      if (const auto member = trimmed(value.substr(0, comma)); !member.empty()) members.push_back(member);
      value.remove_prefix(std::min(comma + 1, value.size()));
    }
  }
  return members;
}

bool HttpHead::lists(std::string_view name, std::string_view member) const {
  return std::ranges::any_of(list(name), [&](std::string_view m) { return equal_ignoring_case(m, member); });
}

}  // namespace mqtt::net
