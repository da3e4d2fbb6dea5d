#include <mqtt/session/scram_crypto.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include <mqtt/util/bytes.hpp>

namespace mqtt {
namespace {

const EVP_MD* algorithm(ScramHash hash) {
  switch (hash) {
    case ScramHash::sha1: return EVP_sha1();
    case ScramHash::sha256: return EVP_sha256();
    case ScramHash::sha512: break;
  }
  return EVP_sha512();
}

unsigned char* data_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

/// A digest that was not made must never pass for one that was; it only fails without memory.
void require(bool done) {
  if (!done) std::abort();
}

}  // namespace

std::size_t digest_size(ScramHash hash) { return static_cast<std::size_t>(EVP_MD_get_size(algorithm(hash))); }

std::string digest(ScramHash hash, std::string_view text) {
  std::string out(digest_size(hash), '\0');
  require(EVP_Digest(text.data(), text.size(), data_of(out), nullptr, algorithm(hash), nullptr) == 1);
  return out;
}

std::string hmac(ScramHash hash, std::string_view key, std::string_view text) {
  std::string out(digest_size(hash), '\0');
  const Bytes bytes = as_bytes(text);
  require(HMAC(algorithm(hash), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(),
               data_of(out), nullptr) != nullptr);
  return out;
}

std::string salted_password(ScramHash hash, std::string_view password, std::string_view salt,
                            std::uint32_t iterations) {
  std::string out(digest_size(hash), '\0');
  require(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), as_bytes(salt).data(),
                            static_cast<int>(salt.size()), static_cast<int>(iterations), algorithm(hash),
                            static_cast<int>(out.size()), data_of(out)) == 1);
  return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string exclusive_or(std::string_view a, std::string_view b) {
  std::string out{a};
  std::ranges::transform(out, b, out.begin(), std::bit_xor{});
  return out;
}

}  // namespace mqtt
