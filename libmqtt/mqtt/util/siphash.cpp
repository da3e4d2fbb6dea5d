#include <mqtt/util/siphash.hpp>

#include <bit>
#include <string>

namespace mqtt {
namespace {

struct SipState {
  std::uint64_t a, b, c, d;

  void round() {
    a += b, b = std::rotl(b, 13) ^ a, a = std::rotl(a, 32);
    c += d, d = std::rotl(d, 16) ^ c;
    a += d, d = std::rotl(d, 21) ^ a;
    c += b, b = std::rotl(b, 17) ^ c, c = std::rotl(c, 32);
  }
  void take(std::uint64_t word) {
    d ^= word;
    round(), round();
    a ^= word;
  }
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
  return word;
}

}  // namespace

std::uint64_t siphash(SipKey key, std::string_view text) {
  constexpr std::size_t word_bytes = 8;
  SipState state{key.first ^ 0x736F6D6570736575, key.second ^ 0x646F72616E646F6D,
                 key.first ^ 0x6C7967656E657261, key.second ^ 0x7465646279746573};
  const std::uint64_t size = text.size();
  for (; text.size() >= word_bytes; text.remove_prefix(word_bytes))
    state.take(little_endian(text.substr(0, word_bytes)));
  state.take(size << 56 | little_endian(text));
  state.c ^= 0xFF;
  for (int i = 0; i < 4; ++i) state.round();
  return state.a ^ state.b ^ state.c ^ state.d;
}

SipKey derive_key(SipKey key, std::string_view purpose) {
  const std::string text{purpose};
  return {siphash(key, text + "/1"), siphash(key, text + "/2")};
}

}  // namespace mqtt
