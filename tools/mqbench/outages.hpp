#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "mqbench/interval_log.hpp"

namespace mq::bench {

/// Seconds in a row, since the common start, in which clients were missing, or nothing came although messages
/// were due.
struct Outage {
  std::size_t from = 0;
  std::size_t to = 0;  ///< the second after the last; of an outage that did not end, the last of the run
  bool over = false;   ///< everything came back
  std::uint64_t connections = 0;  ///< the fewest in any of the seconds
  std::uint64_t received = 0;     ///< in all of the seconds

  bool operator==(const Outage&) const = default;
};

/// What a run has had to be without an outage.
struct Service {
  std::uint64_t clients = 0;
  bool delivers = false;        ///< there are subscribers here, who receive in every second of `due_seconds`
  std::size_t due_seconds = 0;  ///< whole seconds from the start in which messages are due
};

[[nodiscard]] std::vector<Outage> find_outages(std::span<const Interval> intervals, const Service& service);

}  // namespace mq::bench
