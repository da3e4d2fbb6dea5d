#include <mqtt/auth/jwt_keys.hpp>

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace mqtt::auth {
namespace {

using Json = nlohmann::json;

constexpr std::size_t keys_max = 100;  // all of which a token without a key id may be tried with

/// A member that is text, or nothing.
std::optional<std::string> text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

/// A member that is base64url: its bytes; empty if there is none.
std::string bytes_of(const Json& object, const char* name) {
  const auto text = text_of(object, name);
  return (text ? from_base64url(*text) : std::nullopt).value_or("");
}

/// Whether it is a key for signatures that we check; others may stand beside it.
bool is_for_us(const Json& jwk) {
  if (text_of(jwk, "use").value_or("sig") != "sig") return false;
  const std::string kind = text_of(jwk, "kty").value_or("");
  const std::string algorithm = text_of(jwk, "alg").value_or("");
  if (kind == "oct") return algorithm.empty() || algorithm == "HS256";
  if (kind == "RSA") return algorithm.empty() || algorithm == "RS256";
  return kind == "EC" && text_of(jwk, "crv") == "P-256" && (algorithm.empty() || algorithm == "ES256");
}

std::expected<JwtKey, std::string> key_of(const Json& jwk) {
  std::string id = text_of(jwk, "kid").value_or("");
  const std::string kind = text_of(jwk, "kty").value_or("");
  if (kind == "oct") return JwtKey::of_secret(bytes_of(jwk, "k"), std::move(id));
  if (kind == "RSA") return JwtKey::of_rsa(bytes_of(jwk, "n"), bytes_of(jwk, "e"), std::move(id));
  return JwtKey::of_point(bytes_of(jwk, "x"), bytes_of(jwk, "y"), std::move(id));
}

std::expected<std::vector<JwtKey>, std::string> parse_key_set(std::string_view text) {
  const Json set = Json::parse(text, nullptr, false);
  const auto listed = set.is_object() ? set.find("keys") : set.end();
  if (!set.is_object() || listed == set.end() || !listed->is_array())
    return std::unexpected("it is no JSON Web Key Set: an object with an array 'keys'");
  std::vector<JwtKey> keys;
  for (std::size_t i = 0; i < listed->size(); ++i) {
    const Json& jwk = (*listed)[i];
    if (!jwk.is_object()) return std::unexpected(fmt::format("key {}: it is no object", i + 1));
    if (!is_for_us(jwk)) continue;
    auto key = key_of(jwk);
    if (!key) return std::unexpected(fmt::format("key {}: {}", i + 1, key.error()));
    keys.push_back(std::move(*key));
  }
  return keys;
}

}  // namespace

std::expected<std::vector<JwtKey>, std::string> parse_jwt_keys(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  const bool is_json = begin != std::string_view::npos && text[begin] == '{';
  auto keys = is_json ? parse_key_set(text) : JwtKey::of_pem(text);
  if (!keys) return keys;
  if (keys->empty()) return std::unexpected("there is no key for HS256, RS256 or ES256");
  if (keys->size() > keys_max) return std::unexpected(fmt::format("there are more than {} keys", keys_max));
  return keys;
}

}  // namespace mqtt::auth
