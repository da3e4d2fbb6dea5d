#pragma once
#include <cstdint>
#include <vector>

namespace mq::bench {

/// Which messages of many streams have come to the members of a shared subscription, whoever of them got
/// which: a bit for each.
class SeenMessages {
 public:
  /// Of a stream; what is above counts as damage.
  static constexpr std::uint64_t sequence_max = (1ULL << 28) - 1;

  explicit SeenMessages(std::uint32_t count = 0) : streams_(count) {}

  /// Whether it has not come before. `sequence` is at most sequence_max.
  bool note(std::uint32_t stream, std::uint64_t sequence);
  /// Adds another worker's; gives how many both had.
  std::uint64_t add(const SeenMessages& other);
  /// Of streams that sent so many messages, how many have not come.
  [[nodiscard]] std::uint64_t lost_of(const std::vector<std::uint64_t>& sent) const;

 private:
  std::vector<std::vector<std::uint64_t>> streams_;
};

}  // namespace mq::bench
