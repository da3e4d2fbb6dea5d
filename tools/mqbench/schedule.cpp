#include "mqbench/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace mq {
namespace {

constexpr std::uint64_t random_step = 0x9E3779B97F4A7C15U;

/// Sebastiano Vigna's splitmix64, of which the state only counts: number n of the sequence that `seed` begins
/// comes from `seed + n * random_step`, and any seed is a good one.
std::uint64_t random_from(std::uint64_t state) {
  std::uint64_t mixed = state + random_step;
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
    : next_{due_time(pattern, publisher)} {}

mqtt::Duration Schedule::due_time(const LoadPattern& pattern, std::uint32_t publisher) {
  if (pattern.arrival == Arrival::poisson) return rounded(elapsed_ns_ += random_gap(pattern, publisher));
  const std::uint64_t message = round_ * pattern.publishers + publisher;
  return rounded(static_cast<double>(message - message % pattern.burst) * pattern.interval_ns);
}

void Schedule::advance(const LoadPattern& pattern, std::uint32_t publisher) {
  ++round_;
  next_ = due_time(pattern, publisher);
}

/// Exponentially distributed, with the mean that makes all publishers together keep the rate.
double Schedule::random_gap(const LoadPattern& pattern, std::uint32_t publisher) const {
  // Neighbours' states must not be neighbours: the sequence of one would be that of the other, a step behind.
  const std::uint64_t seed =
      random_from(random_from(pattern.seed) ^ (std::uint64_t{publisher} << 32 | publisher));
  constexpr double step = 0x1p-53;
  const std::uint64_t random = random_from(seed + round_ * random_step);
  const double uniform = static_cast<double>((random >> 11) + 1) * step;  // above 0, to 1
  return -std::log(uniform) * pattern.interval_ns * pattern.publishers;
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
