#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mqtt {

/// 128 secret bits. Tests may make do with the first 64.
struct SipKey {
  constexpr SipKey(std::uint64_t low, std::uint64_t high = 0) : first{low}, second{high} {}
  std::uint64_t first, second;
};

/// SipHash-2-4 (Aumasson, Bernstein, 2012): without the key nobody can tell its results from random ones,
/// choose texts that collide, or learn the key from what was hashed.
[[nodiscard]] std::uint64_t siphash(SipKey key, std::string_view text);

/// A key for one purpose: whoever learned it would know no other.
[[nodiscard]] SipKey derive_key(SipKey key, std::string_view purpose);

/// For containers whose keys are chosen by others.
struct KeyedHash {
  SipKey key;
  std::size_t operator()(std::string_view text) const { return siphash(key, text); }
};

}  // namespace mqtt
