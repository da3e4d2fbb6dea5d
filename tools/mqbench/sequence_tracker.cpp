#include "mqbench/sequence_tracker.hpp"

#include <algorithm>

namespace mq {

Arrived SequenceTracker::note(std::uint64_t sequence) {
  if (sequence < next_) return note_late(sequence);
  if (sequence > next_) {
    if (ranges_.size() == ranges_max)
      ranges_.erase(ranges_.begin(), ranges_.begin() + static_cast<std::ptrdiff_t>(ranges_max / 2));
    ranges_.push_back({next_, sequence});
    missing_ += sequence - next_;
  }
  next_ = sequence + 1;
  return Arrived::in_order;
}

Arrived SequenceTracker::note_late(std::uint64_t sequence) {
  const auto range = std::ranges::upper_bound(ranges_, sequence, {}, &Range::end);
  if (range == ranges_.end() || sequence < range->begin) return Arrived::duplicated;
  --missing_;
  const Range before{range->begin, sequence}, behind{sequence + 1, range->end};
  if (before.begin == before.end && behind.begin == behind.end)
    ranges_.erase(range);
  else if (before.begin == before.end)
    *range = behind;
  else {
    *range = before;
    if (behind.begin != behind.end) ranges_.insert(range + 1, behind);
  }
  return Arrived::reordered;
}

}  // namespace mq
