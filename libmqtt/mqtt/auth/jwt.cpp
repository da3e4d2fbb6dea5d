#include <mqtt/auth/jwt.hpp>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt::auth {
namespace {

using Json = nlohmann::json;

constexpr std::size_t token_size_max = 16 * 1024;

/// How far the clock of who issued it may be ahead of ours.
constexpr double clock_skew_s = 30;

/// In base64url, as they came, and as bytes.
struct Parts {
  std::string_view header;
  std::string_view claims;
  std::string_view signature;
  std::string_view signed_text;
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.size() > token_size_max) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
               token.substr(0, second)};
}

/// Null unless it is an object.
Json parse_object(std::string_view part) {
  const auto text = from_base64url(part);
  if (!text || !is_mqtt_utf8(as_bytes(*text))) return nullptr;
  Json parsed = Json::parse(*text, nullptr, false);
  return parsed.is_object() ? parsed : Json{nullptr};
}

std::optional<std::string> text_member(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

bool is_signed(const Parts& parts, const Json& header, const std::vector<JwtKey>& keys) {
  const auto algorithm = find_jwt_algorithm(text_member(header, "alg").value_or(""));
  // What has to be understood and is not ends it (RFC 7515, section 4.1.11).
  if (!algorithm || header.contains("crit")) return false;
  const auto signature = from_base64url(parts.signature);
  if (!signature) return false;
  const auto id = text_member(header, "kid");
  return std::ranges::any_of(keys, [&](const JwtKey& key) {
    const bool meant = !id || key.id().empty() || key.id() == *id;
    return meant && key.algorithm() == *algorithm && key.verifies(parts.signed_text, *signature);
  });
}

/// "aud" is a text or an array of them.
bool is_meant_for(const Json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_string()) return *found == audience;
  return found->is_array() &&
         std::ranges::any_of(*found, [&](const Json& one) { return one.is_string() && one == audience; });
}

/// Nothing if it has no end, or is not in force.
std::optional<double> find_end(const Json& claims, double now) {
  const auto ends = claims.find("exp");
  if (ends == claims.end() || !ends->is_number()) return std::nullopt;
  const auto begins = claims.find("nbf");
  if (begins != claims.end() && (!begins->is_number() || begins->get<double>() > now + clock_skew_s))
    return std::nullopt;
  const double end = ends->get<double>();
  if (!(end > now)) return std::nullopt;
  return end;
}

/// It is to be a user name.
bool is_name(std::string_view text) {
  const bool control = std::ranges::any_of(text, [](char c) { return c >= 0 && (c < ' ' || c == '\x7F'); });
  return !text.empty() && text.size() <= 65'535 && !control && is_mqtt_utf8(as_bytes(text));
}

}  // namespace

bool looks_like_jwt(std::string_view password) {
  const auto parts = split(password);
  return parts && parts->header.starts_with("ey");  // '{' and a quotation mark or space, in base64url
}

std::optional<JwtGrant> check_jwt(std::string_view token, const std::vector<JwtKey>& keys,
                                  const JwtRules& rules, std::string_view client_id, double now) {
  const auto parts = split(token);
  if (!parts) return std::nullopt;
  const Json header = parse_object(parts->header);
  if (!header.is_object() || !is_signed(*parts, header, keys)) return std::nullopt;
  const Json claims = parse_object(parts->claims);
  if (!claims.is_object()) return std::nullopt;
  const auto end = find_end(claims, now);
  if (!end || (rules.audience && !is_meant_for(claims, *rules.audience))) return std::nullopt;
  if (rules.issuer && text_member(claims, "iss") != rules.issuer) return std::nullopt;
  if (rules.client_id_claim && text_member(claims, *rules.client_id_claim) != client_id) return std::nullopt;
  auto user = text_member(claims, rules.user_claim);
  if (!user || !is_name(*user)) return std::nullopt;
  return JwtGrant{std::move(*user), *end};
}

}  // namespace mqtt::auth
