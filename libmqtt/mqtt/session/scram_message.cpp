#include <mqtt/session/scram_message.hpp>

#include <algorithm>

#include <mqtt/util/base64.hpp>

namespace mqtt {

std::optional<std::string_view> ScramMessage::take(char name) {
  std::string_view text = rest_;
  if (!at_start_) {
    if (!text.starts_with(',')) return std::nullopt;
    text.remove_prefix(1);
  }
  if (text.size() < 2 || text[0] != name || text[1] != '=') return std::nullopt;
  const std::size_t end = std::min(text.find(','), text.size());
  rest_ = text.substr(end);
  at_start_ = false;
  return text.substr(2, end - 2);
}

std::optional<std::string> ScramMessage::take_bytes(char name) {
  const auto text = take(name);
  if (!text || text->empty()) return std::nullopt;
  return from_base64(*text);
}

bool ScramMessage::rest_is_extensions() {
  while (rest_.size() > 1) {
    const char name = rest_[1];
    const bool letter = (name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z');
    // What is mandatory and unknown ("m=") has to end the exchange (RFC 5802, section 5.1).
    if (!letter || name == 'm' || !take(name)) return false;
  }
  return rest_.empty();
}

bool is_scram_nonce(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F' && c != ','; });
}

std::string to_scram_name(std::string_view user) {
  std::string name;
  for (const char c : user) {
    if (c == ',')
      name += "=2C";
    else if (c == '=')
      name += "=3D";
    else
      name += c;
  }
  return name;
}

std::optional<std::string> from_scram_name(std::string_view name) {
  std::string user;
  while (!name.empty()) {
    const bool escaped = name.front() == '=';
    if (escaped && !name.starts_with("=2C") && !name.starts_with("=3D")) return std::nullopt;
    user += !escaped ? name.front() : name[1] == '2' ? ',' : '=';
    name.remove_prefix(escaped ? 3 : 1);
  }
  if (user.empty()) return std::nullopt;
  return user;
}

}  // namespace mqtt
