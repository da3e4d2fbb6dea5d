#include "common/jwt.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>

#include <mqtt/util/base64.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/json_scanner.hpp"

namespace mq {
namespace {

/// RFC 7515's base64url, which has no padding.
std::optional<std::string> from_base64url(std::string_view text) {
  std::string usual{text};
  std::ranges::replace(usual, '-', '+');
  std::ranges::replace(usual, '_', '/');
  usual.append((4 - usual.size() % 4) % 4, '=');
  return mqtt::from_base64(usual);
}

/// The second of three parts, decoded.
std::optional<std::string> claims_of(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  auto claims = from_base64url(token.substr(first + 1, second - first - 1));
  if (!claims || !mqtt::is_mqtt_utf8(mqtt::as_bytes(*claims))) return std::nullopt;
  return claims;
}

/// The text of a member of an object; nothing if it has none, or is no JSON.
std::optional<std::string_view> member(std::string_view json, std::string_view name) {
  JsonScanner in{json};
  std::string storage;
  std::optional<std::string_view> found;
  if (!in.take('{') || in.take_if('}')) return std::nullopt;
  do {
    const auto key = in.string(storage);
    const bool wanted = key && *key == name;
    const auto value = key && in.take(':') ? in.value() : std::nullopt;
    if (!value) return std::nullopt;
    if (wanted) found = value->text;
  } while (in.take_if(','));
  return in.take('}') ? found : std::nullopt;
}

}  // namespace

std::optional<WallTime> jwt_expiry(std::string_view token) {
  using Seconds = std::chrono::duration<double>;
  constexpr double latest = 9e9;  // the year 2255: what comes later does not fit nanoseconds
  const auto claims = claims_of(token);
  const auto text = claims ? member(*claims, "exp") : std::nullopt;
  if (!text) return std::nullopt;
  double seconds = 0;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (fault != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  if (!(seconds >= 0 && seconds < latest)) return std::nullopt;
  return WallTime{std::chrono::duration_cast<WallTime::duration>(Seconds{seconds})};
}

}  // namespace mq
