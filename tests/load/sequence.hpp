#pragma once
#include <cstdint>
#include <map>

namespace load {

enum class Arrival { in_order, late, duplicate };

/// What has arrived of one publisher's numbered messages (0, 1, 2, ...) at one subscriber.
class SequenceCheck {
 public:
  /// A number above the expected one is in order, with a gap before it; `late` fills a gap.
  [[nodiscard]] Arrival take(std::uint32_t number);
  /// Of the first `sent` messages.
  [[nodiscard]] std::uint64_t missing(std::uint64_t sent) const { return missing_ + sent - next_; }

 private:
  [[nodiscard]] Arrival take_old(std::uint32_t number);

  std::uint32_t next_ = 0;
  std::uint64_t missing_ = 0;                    // below next_
  std::map<std::uint32_t, std::uint32_t> gaps_;  // [first, second)
};

}  // namespace load
