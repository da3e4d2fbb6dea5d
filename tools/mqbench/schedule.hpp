#pragma once
#include <cstdint>
#include <vector>

#include <mqtt/util/time.hpp>

namespace mq {

/// How the messages of an open loop are spread over time.
enum class Arrival : std::uint8_t {
  fixed,    ///< at even distances; `burst` of them at once
  poisson,  ///< each publisher at random, independently of the others
};

/// What all publishers of a run do together.
struct LoadPattern {
  double interval_ns = 0;  ///< from one message to the next, over all publishers
  std::uint32_t publishers = 1;
  Arrival arrival = Arrival::fixed;
  std::uint64_t burst = 1;
  std::uint64_t seed = 0;  ///< of poisson: the same seed gives the same times
};

/// How late messages may be at the 99th percentile: a tenth of the distance between two of a publisher, and
/// never less than a scheduler's tick.
[[nodiscard]] mqtt::Duration lag_allowed(const LoadPattern& load);

/// When the messages of one publisher are due, counted from the common start. The publishers' phases are
/// spread evenly: together they make the k-th message of the run due at k times the interval, publisher k
/// modulo `publishers` sends it. Times are computed from k, so that nothing adds up: they are exact to a
/// nanosecond for fifty days.
///
/// A publisher that cannot send is late, and its schedule waits with it; nothing is left out and no time
/// moves. There are thousands: what all share, and which one this is, comes with each call.
class Schedule {
 public:
  /// `publisher` counts from 0.
  Schedule(const LoadPattern& pattern, std::uint32_t publisher);

  /// Of the message that comes next.
  [[nodiscard]] mqtt::Duration next() const { return next_; }
  /// It was sent. `pattern` and `publisher` as in the beginning.
  void advance(const LoadPattern& pattern, std::uint32_t publisher);
  /// How often advance() was called.
  [[nodiscard]] std::uint64_t round() const { return round_; }

 private:
  [[nodiscard]] mqtt::Duration due_time(const LoadPattern& pattern, std::uint32_t publisher);
  [[nodiscard]] double random_gap(const LoadPattern& pattern, std::uint32_t publisher) const;

  std::uint64_t round_ = 0;
  double elapsed_ns_ = 0;  // of poisson
  mqtt::Duration next_{};
};

/// Of many publishers, the one whose message is due first: a heap.
class DueQueue {
 public:
  struct Entry {
    mqtt::Duration due{};
    std::uint32_t publisher = 0;
  };

  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] const Entry& first() const { return heap_.front(); }
  void push(Entry entry);
  void pop();
  void reserve(std::size_t size) { heap_.reserve(size); }

 private:
  std::vector<Entry> heap_;
};

}  // namespace mq
