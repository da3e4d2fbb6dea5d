#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <mqtt/util/time.hpp>

#include "mqbench/interval_log.hpp"

namespace mq::bench {

/// Clients of a run that went away at a time, or came back.
struct Presence {
  mqtt::TimePoint at{};
  std::int64_t change = 0;  ///< negative: they went
};

/// What became of the connections of one worker.
class PresenceLog {
 public:
  /// Of 16 bytes each. More change what the last one says: when the last client came back stays exact.
  static constexpr std::size_t kept_max = 50'000;

  void note(mqtt::TimePoint at, std::int64_t change);
  [[nodiscard]] const std::vector<Presence>& changes() const { return changes_; }

 private:
  std::vector<Presence> changes_;
};

/// A time in which clients were missing, or nothing came although messages were due. Times with less than a
/// second between them are one. From the common start.
struct Outage {
  mqtt::Duration began{};
  /// All clients were back, and messages came again; none: not in this run. What only silence tells is known
  /// to a second.
  std::optional<mqtt::Duration> recovered;
  std::size_t from = 0;           ///< the second in which it began
  std::size_t to = 0;             ///< the one after the second in which it ended, or the run did
  std::uint64_t connections = 0;  ///< the fewest
  std::uint64_t received = 0;     ///< in these seconds
  /// Messages that were due in these seconds and never came; none: this process alone cannot know.
  std::optional<std::uint64_t> lost;

  bool operator==(const Outage&) const = default;
};

/// What a run has had to be without an outage.
struct Service {
  mqtt::TimePoint start;  ///< the common one
  std::uint64_t clients = 0;
  bool delivers = false;        ///< there are subscribers here, who receive in every second of `due_seconds`
  std::size_t due_seconds = 0;  ///< whole seconds from the start in which messages are due
};

/// `changes` of all workers, in any order.
[[nodiscard]] std::vector<Outage> find_outages(std::span<const Interval> intervals, const Service& service,
                                               std::vector<Presence> changes);

/// Says what each has cost. `due` and `came` are by when messages were due.
void judge_outages(std::vector<Outage>& outages, const PerSecond& due, const PerSecond& came);

}  // namespace mq::bench
