#include <mqtt/broker/level_hash.hpp>

#include <cstring>

namespace mqtt::broker {
namespace {

__extension__ using Product = unsigned __int128;

// Odd, and with about as many ones as zeros.
constexpr std::uint64_t first_factor = 0xA24BAED4963EE407, word_factor = 0x9E6C63D0876A9A47,
                        last_factor = 0xC2B2AE3D27D4EB4F;

/// Every bit of the result depends on every bit of both.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Product product = Product{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t load(std::string_view text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data(), text.size());
  return word;
}

}  // namespace

std::uint32_t hash_level(std::uint64_t seed, std::uint32_t parent, std::string_view text) {
  constexpr std::size_t word_bytes = sizeof(std::uint64_t);
  // Mixed before the text comes in: a text that makes up for another parent would collide whatever the seed.
  std::uint64_t hash = fold(seed ^ first_factor, (std::uint64_t{parent} << 32 | text.size()) ^ last_factor);
  for (; text.size() >= word_bytes; text.remove_prefix(word_bytes))
    hash = fold(hash ^ load(text.substr(0, word_bytes)), word_factor ^ seed);
  hash = fold(hash ^ load(text), word_factor ^ seed);
  return static_cast<std::uint32_t>(fold(hash, last_factor) >> 32);
}

}  // namespace mqtt::broker
