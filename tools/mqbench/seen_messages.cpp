#include "mqbench/seen_messages.hpp"

#include <algorithm>
#include <bit>

namespace mq::bench {

bool SeenMessages::note(std::uint32_t stream, std::uint64_t sequence) {
  std::vector<std::uint64_t>& bits = streams_[stream];
  const auto word = static_cast<std::size_t>(sequence / 64);
  const std::uint64_t bit = 1ULL << sequence % 64;
  if (word >= bits.size()) bits.resize(word + 1);
  const bool first = (bits[word] & bit) == 0;
  bits[word] |= bit;
  return first;
}

std::uint64_t SeenMessages::add(const SeenMessages& other) {
  std::uint64_t both = 0;
  streams_.resize(std::max(streams_.size(), other.streams_.size()));
  for (std::size_t stream = 0; stream < other.streams_.size(); ++stream) {
    std::vector<std::uint64_t>& bits = streams_[stream];
    const std::vector<std::uint64_t>& others = other.streams_[stream];
    bits.resize(std::max(bits.size(), others.size()));
    for (std::size_t word = 0; word < others.size(); ++word) {
      both += static_cast<std::uint64_t>(std::popcount(bits[word] & others[word]));
      bits[word] |= others[word];
    }
  }
  return both;
}

std::uint64_t SeenMessages::lost_of(const std::vector<std::uint64_t>& sent) const {
  std::uint64_t lost = 0;
  for (std::size_t stream = 0; stream < streams_.size(); ++stream) {
    std::uint64_t came = 0;
    for (const std::uint64_t word : streams_[stream]) came += static_cast<std::uint64_t>(std::popcount(word));
    lost += sent[stream] - std::min(sent[stream], came);
  }
  return lost;
}

}  // namespace mq::bench
