#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mq {

/// What a message is, among those of its stream that came before it.
enum class Arrived : std::uint8_t {
  in_order,
  reordered,   ///< after a later one
  duplicated,  ///< not for the first time
};

/// Finds what is missing, late or double in a stream of numbered messages, however far apart: it keeps the
/// ranges that are missing. There are `ranges_max` of them at most; of more, the older half is given up as
/// lost, so that a message of it that comes after all counts as a duplicate.
class SequenceTracker {
 public:
  static constexpr std::size_t ranges_max = 4096;

  Arrived note(std::uint64_t sequence);

  /// Different messages that came.
  [[nodiscard]] std::uint64_t distinct() const { return next_ - missing_; }
  /// Of a stream that sent `sent` messages.
  [[nodiscard]] std::uint64_t lost_of(std::uint64_t sent) const {
    return sent > distinct() ? sent - distinct() : 0;
  }

 private:
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;  // one past the last
  };

  [[nodiscard]] Arrived note_late(std::uint64_t sequence);

  std::uint64_t next_ = 0;
  std::uint64_t missing_ = 0;
  std::vector<Range> ranges_;  // in order
};

}  // namespace mq
