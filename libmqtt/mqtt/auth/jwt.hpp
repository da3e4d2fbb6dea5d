#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/auth/jwt_keys.hpp>

namespace mqtt::auth {

/// What a token has to say, besides being signed and in time.
struct JwtRules {
  std::optional<std::string> audience{};         ///< one of "aud"
  std::optional<std::string> issuer{};           ///< "iss"
  std::string user_claim = "sub";                ///< text: the user name
  std::optional<std::string> client_id_claim{};  ///< text: the client id of CONNECT
};

/// Whom a token lets in, and until when: seconds since 1970, as "exp" has it.
struct JwtGrant {
  std::string user;
  double ends = 0;
};

/// Whether `password` may be meant as a token (RFC 7519 in its compact form) and not as a password.
[[nodiscard]] bool looks_like_jwt(std::string_view password);

/// Nothing for a token that lets nobody in: not signed by one of `keys` by the algorithm of that key, without
/// end ("exp") or over, not begun yet ("nbf"), or against the rules. `now`: seconds since 1970.
[[nodiscard]] std::optional<JwtGrant> check_jwt(std::string_view token, const std::vector<JwtKey>& keys,
                                                const JwtRules& rules, std::string_view client_id,
                                                double now);

}  // namespace mqtt::auth
