#include "sequence.hpp"

#include <iterator>

namespace load {

Arrival SequenceCheck::take(std::uint32_t number) {
  if (number < next_) return take_old(number);
  if (number > next_) {
    gaps_.emplace(next_, number);
    missing_ += number - next_;
  }
  next_ = number + 1;
  return Arrival::in_order;
}

Arrival SequenceCheck::take_old(std::uint32_t number) {
  auto above = gaps_.upper_bound(number);
  if (above == gaps_.begin()) return Arrival::duplicate;
  const auto gap = std::prev(above);
  const auto [first, end] = *gap;
  if (number >= end) return Arrival::duplicate;
  gaps_.erase(gap);
  if (first < number) gaps_.emplace(first, number);
  if (number + 1 < end) gaps_.emplace(number + 1, end);
  --missing_;
  return Arrival::late;
}

}  // namespace load
