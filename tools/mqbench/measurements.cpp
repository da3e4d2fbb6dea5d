#include "mqbench/measurements.hpp"

#include <algorithm>

namespace mq::bench {
namespace {

mqtt::Deadline later(mqtt::Deadline a, mqtt::Deadline b) {
  if (!a || !b) return a ? a : b;
  return std::max(*a, *b);
}

}  // namespace

std::size_t PerSecond::second_of(mqtt::Duration since_start) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_start).count();
  return static_cast<std::size_t>(std::clamp<std::int64_t>(seconds, 0, seconds_max - 1));
}

void PerSecond::note(mqtt::Duration since_start, std::uint64_t count) {
  const std::size_t at = second_of(since_start);
  if (at >= counts_.size()) counts_.resize(at + 1);
  counts_[at] += count;
}

void PerSecond::add(const PerSecond& other) {
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  for (std::size_t n = 0; n < other.counts_.size(); ++n) counts_[n] += other.counts_[n];
}

void Measurements::add(const Measurements& other) {
  for (const auto histogram :
       {&Measurements::due_to_received, &Measurements::sent_to_received, &Measurements::lag,
        &Measurements::ack, &Measurements::tcp, &Measurements::tls, &Measurements::websocket,
        &Measurements::connack, &Measurements::connect, &Measurements::subscribe, &Measurements::unsubscribe,
        &Measurements::catch_up, &Measurements::undisturbed, &Measurements::disturbed})
    static_cast<void>((this->*histogram).add(other.*histogram));  // all are of one range
  for (const auto count :
       {&Measurements::sent, &Measurements::unsent, &Measurements::held, &Measurements::sending_turns,
        &Measurements::unsent_bytes, &Measurements::acked, &Measurements::rejected, &Measurements::unacked,
        &Measurements::expected, &Measurements::received, &Measurements::lost, &Measurements::duplicated,
        &Measurements::reordered, &Measurements::corrupted, &Measurements::foreign, &Measurements::retained,
        &Measurements::connections_lost, &Measurements::slow_lost})
    this->*count += other.*count;
  sent_per_second.add(other.sent_per_second);
  received_per_second.add(other.received_per_second);
  due_per_second.add(other.due_per_second);
  came_per_second.add(other.came_per_second);
  for (const auto& [reason, count] : other.refusals) refusals[reason] += count;
  came_back = mqtt::earlier(came_back, other.came_back);
  first_due = mqtt::earlier(first_due, other.first_due);
  last_sent = later(last_sent, other.last_sent);
  last_received = later(last_received, other.last_received);
}

}  // namespace mq::bench
