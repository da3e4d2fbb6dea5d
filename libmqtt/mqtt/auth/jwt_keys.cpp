// The one file of this layer that knows OpenSSL.
#include <mqtt/auth/jwt_keys.hpp>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <utility>

#include <mqtt/session/scram_crypto.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/bytes.hpp>

namespace mqtt::auth {
namespace {

constexpr std::size_t secret_size_min = 32;
constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 16'384;  // checking costs more with each bit
constexpr std::size_t coordinate_size = 32;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* data_of(std::string_view text) { return as_bytes(text).data(); }

Owned<BIGNUM> number_of(std::string_view big_endian) {
  return Owned<BIGNUM>{BN_bin2bn(data_of(big_endian), static_cast<int>(big_endian.size()), nullptr)};
}

Owned<EVP_PKEY> make_key(const char* kind, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM> parameters{OSSL_PARAM_BLD_to_param(builder)};
  const Owned<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr)};
  EVP_PKEY* made = nullptr;
  if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1)
    (void)EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get());
  ERR_clear_error();
  return Owned<EVP_PKEY>{made};
}

/// A token has the two numbers one behind the other (RFC 7518, section 3.4), OpenSSL wants them in DER.
std::string der_of(std::string_view signature) {
  if (signature.size() != 2 * coordinate_size) return {};
  const Owned<ECDSA_SIG> pair{ECDSA_SIG_new()};
  auto r = number_of(signature.substr(0, coordinate_size)), s = number_of(signature.substr(coordinate_size));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  std::string der(static_cast<std::size_t>(std::max(i2d_ECDSA_SIG(pair.get(), nullptr), 0)), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  (void)i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

}  // namespace

struct JwtKey::Public {
  std::shared_ptr<EVP_PKEY> key;  // not Owned, which only this file knows
};

std::optional<JwtAlgorithm> find_jwt_algorithm(std::string_view name) {
  if (name == "HS256") return JwtAlgorithm::hs256;
  if (name == "RS256") return JwtAlgorithm::rs256;
  if (name == "ES256") return JwtAlgorithm::es256;
  return std::nullopt;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string usual{text};
  std::ranges::replace(usual, '-', '+');
  std::ranges::replace(usual, '_', '/');
  usual.append((4 - usual.size() % 4) % 4, '=');
  return from_base64(usual);
}

std::expected<JwtKey, std::string> JwtKey::of_secret(std::string secret, std::string id) {
  if (secret.size() < secret_size_min) return std::unexpected("a secret for HS256 has at least 32 bytes");
  JwtKey key{JwtAlgorithm::hs256, std::move(id)};
  key.secret_ = std::move(secret);
  return key;
}

std::expected<JwtKey, std::string> JwtKey::of_public(std::shared_ptr<const Public> key, std::string id) {
  if (!key->key) return std::unexpected("a public key cannot be read");
  const bool rsa = EVP_PKEY_is_a(key->key.get(), "RSA") == 1;
  const int bits = EVP_PKEY_get_bits(key->key.get());
  if (rsa && (bits < rsa_bits_min || bits > rsa_bits_max))
    return std::unexpected("an RSA key for RS256 has from 2048 to 16384 bits");
  char group[32] = "";
  (void)EVP_PKEY_get_group_name(key->key.get(), group, sizeof group, nullptr);
  ERR_clear_error();
  if (!rsa && std::string_view{group} != "prime256v1")
    return std::unexpected("a public key is neither RSA nor of the curve P-256");
  JwtKey made{rsa ? JwtAlgorithm::rs256 : JwtAlgorithm::es256, std::move(id)};
  made.public_ = std::move(key);
  return made;
}

std::expected<JwtKey, std::string> JwtKey::of_rsa(std::string_view modulus, std::string_view exponent,
                                                  std::string id) {
  const Owned<OSSL_PARAM_BLD> builder{OSSL_PARAM_BLD_new()};
  const auto n = number_of(modulus), e = number_of(exponent);
  if (!builder || !n || !e || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return std::unexpected("an RSA key cannot be read");
  return of_public(std::make_shared<const Public>(make_key("RSA", builder.get())), std::move(id));
}

std::expected<JwtKey, std::string> JwtKey::of_point(std::string_view x, std::string_view y, std::string id) {
  if (x.size() != coordinate_size || y.size() != coordinate_size)
    return std::unexpected("a key of P-256 has coordinates of 32 bytes");
  std::string point = "\x04";
  point.append(x).append(y);
  const Owned<OSSL_PARAM_BLD> builder{OSSL_PARAM_BLD_new()};
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
          1)
    return std::unexpected("a key of P-256 cannot be read");
  return of_public(std::make_shared<const Public>(make_key("EC", builder.get())), std::move(id));
}

std::expected<std::vector<JwtKey>, std::string> JwtKey::of_pem(std::string_view text) {
  constexpr std::string_view beginning = "-----BEGIN ", kind = "-----BEGIN PUBLIC KEY-----";
  std::vector<JwtKey> keys;
  for (std::size_t at = text.find(beginning); at != std::string_view::npos;
       at = text.find(beginning, at + beginning.size())) {
    // A private key in the broker's files is one too many.
    if (!text.substr(at).starts_with(kind))
      return std::unexpected("there is something else than public keys");
    const Owned<BIO> bio{BIO_new_mem_buf(text.data() + at, static_cast<int>(text.size() - at))};
    auto key = std::make_shared<const Public>(
        Owned<EVP_PKEY>{PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)});
    ERR_clear_error();
    auto made = of_public(std::move(key), {});
    if (!made) return std::unexpected(std::move(made.error()));
    keys.push_back(std::move(*made));
  }
  if (keys.empty()) return std::unexpected("there is no public key");
  return keys;
}

bool JwtKey::verifies(std::string_view text, std::string_view signature) const {
  if (algorithm_ == JwtAlgorithm::hs256)
    return equal_in_constant_time(hmac(ScramHash::sha256, secret_, text), signature);
  const std::string made = algorithm_ == JwtAlgorithm::es256 ? der_of(signature) : std::string{signature};
  const Owned<EVP_MD_CTX> context{EVP_MD_CTX_new()};
  const bool valid =
      !made.empty() && context &&
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, public_->key.get()) == 1 &&
      EVP_DigestVerify(context.get(), data_of(made), made.size(), data_of(text), text.size()) == 1;
  ERR_clear_error();
  return valid;
}

}  // namespace mqtt::auth
