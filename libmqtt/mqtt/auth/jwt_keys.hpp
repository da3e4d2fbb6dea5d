#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mqtt::auth {

enum class JwtAlgorithm : std::uint8_t { hs256, rs256, es256 };

/// "HS256", "RS256" or "ES256"; nothing for another one, "none" first of all.
[[nodiscard]] std::optional<JwtAlgorithm> find_jwt_algorithm(std::string_view name);

/// A key that checks signatures. What it can check is fixed by what it is, whatever a token says of itself: a
/// public key never becomes a secret (RFC 8725, section 3.1).
class JwtKey {
 public:
  /// HS256's: at least 32 bytes (RFC 7518, section 3.2). An error is a clause.
  [[nodiscard]] static std::expected<JwtKey, std::string> of_secret(std::string secret, std::string id = {});
  /// RS256's: modulus and exponent as big-endian bytes.
  [[nodiscard]] static std::expected<JwtKey, std::string> of_rsa(std::string_view modulus,
                                                                 std::string_view exponent,
                                                                 std::string id = {});
  /// ES256's: a point of P-256, 32 bytes each.
  [[nodiscard]] static std::expected<JwtKey, std::string> of_point(std::string_view x, std::string_view y,
                                                                   std::string id = {});
  /// The public keys of a PEM text ("BEGIN PUBLIC KEY"): RSA of at least 2048 bits, or P-256.
  [[nodiscard]] static std::expected<std::vector<JwtKey>, std::string> of_pem(std::string_view text);

  [[nodiscard]] JwtAlgorithm algorithm() const { return algorithm_; }
  /// "kid", or empty.
  [[nodiscard]] const std::string& id() const { return id_; }
  /// Whether `signature` is this key's of `text`.
  [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;

 private:
  struct Public;

  JwtKey(JwtAlgorithm algorithm, std::string id) : algorithm_{algorithm}, id_{std::move(id)} {}
  [[nodiscard]] static std::expected<JwtKey, std::string> of_public(std::shared_ptr<const Public> key,
                                                                    std::string id);

  JwtAlgorithm algorithm_;
  std::string id_;
  std::string secret_;                    // HS256
  std::shared_ptr<const Public> public_;  // the others
};

/// The keys of a file: PEM, or a JSON Web Key Set (RFC 7517), of which keys of other kinds, curves and uses
/// are left out. An error is a clause, and shows nothing of a key.
[[nodiscard]] std::expected<std::vector<JwtKey>, std::string> parse_jwt_keys(std::string_view text);

/// RFC 7515's base64url, which has no padding.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

}  // namespace mqtt::auth
