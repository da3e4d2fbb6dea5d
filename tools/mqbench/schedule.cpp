#include "mqbench/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace mq {
namespace {

/// Sebastiano Vigna's splitmix64: one word of state per publisher, and any seed is a good one.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBU;
  return mixed ^ mixed >> 31;
}

mqtt::Duration rounded(double nanoseconds) {
  return mqtt::Duration{static_cast<mqtt::Duration::rep>(std::llround(nanoseconds))};
}

/// Ties go to the lower number, so that a run can be repeated.
bool later(const DueQueue::Entry& a, const DueQueue::Entry& b) {
  return std::tie(a.due, a.publisher) > std::tie(b.due, b.publisher);
}

}  // namespace

mqtt::Duration lag_allowed(const LoadPattern& load) {
  constexpr double share = 0.1;
  constexpr mqtt::Duration always = std::chrono::milliseconds{1};
  return std::max(always, rounded(share * load.interval_ns * load.publishers));
}

Schedule::Schedule(const LoadPattern& pattern, std::uint32_t publisher)
    : pattern_{&pattern}, publisher_{publisher}, random_{pattern.seed} {
  // Neighbours' states must not be neighbours: the sequence of one would be that of the other, a step behind.
  random_ = next_random(random_) ^ (std::uint64_t{publisher} << 32 | publisher);
  random_ = next_random(random_);
  if (pattern.arrival == Arrival::poisson) elapsed_ns_ = random_gap();
  next_ = due_time();
}

mqtt::Duration Schedule::due_time() const {
  if (pattern_->arrival == Arrival::poisson) return rounded(elapsed_ns_);
  const std::uint64_t message = round_ * pattern_->publishers + publisher_;
  return rounded(static_cast<double>(message - message % pattern_->burst) * pattern_->interval_ns);
}

void Schedule::advance() {
  ++round_;
  if (pattern_->arrival == Arrival::poisson) elapsed_ns_ += random_gap();
  next_ = due_time();
}

/// Exponentially distributed, with the mean that makes all publishers together keep the rate.
double Schedule::random_gap() {
  constexpr double step = 0x1p-53;
  const double uniform = static_cast<double>((next_random(random_) >> 11) + 1) * step;  // above 0, to 1
  return -std::log(uniform) * pattern_->interval_ns * pattern_->publishers;
}

void DueQueue::push(Entry entry) {
  heap_.push_back(entry);
  std::ranges::push_heap(heap_, later);
}

void DueQueue::pop() {
  std::ranges::pop_heap(heap_, later);
  heap_.pop_back();
}

}  // namespace mq
