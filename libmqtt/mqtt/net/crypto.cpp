#include <mqtt/net/crypto.hpp>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

namespace mqtt::net {
namespace {

void generate(MutableBytes bytes) {
  // Without a working generator there is no safe way on; it fails only if the system has none.
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) std::abort();
}

}  // namespace

std::array<std::uint8_t, 20> sha1(Bytes bytes) {
  std::array<std::uint8_t, 20> digest{};
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  return digest;
}

void fill_random(MutableBytes bytes) {
  // One call of the generator serves many masks: it takes about as long for 1 byte as for 256.
  thread_local std::array<std::uint8_t, 256> pool;
  thread_local std::size_t used = pool.size();
  if (bytes.size() > pool.size() / 4) return generate(bytes);
  if (pool.size() - used < bytes.size()) {
    generate(pool);
    used = 0;
  }
  std::copy_n(pool.begin() + static_cast<std::ptrdiff_t>(used), bytes.size(), bytes.begin());
  used += bytes.size();
}

}  // namespace mqtt::net
