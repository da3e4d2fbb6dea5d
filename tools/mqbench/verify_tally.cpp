#include "mqbench/verify_tally.hpp"

#include <algorithm>
#include <limits>

namespace mq::bench {
namespace {

constexpr std::uint64_t open_end = std::numeric_limits<std::uint64_t>::max();

void keep(std::vector<std::uint64_t>& examples, std::uint64_t number) {
  if (examples.size() < StreamExamples::kept) examples.push_back(number);
}

}  // namespace

void StreamCounts::add(const StreamCounts& other) {
  for (const auto count :
       {&StreamCounts::expected, &StreamCounts::received, &StreamCounts::lost, &StreamCounts::lost_at_faults,
        &StreamCounts::duplicated, &StreamCounts::reordered, &StreamCounts::corrupted, &StreamCounts::late})
    this->*count += other.*count;
}

void StreamTally::note(std::uint64_t number, Body body, Timing timing) {
  const bool later_came = number < arrivals_.size();
  if (!later_came) arrivals_.resize(number + 1);
  if (arrivals_[number] < std::numeric_limits<std::uint8_t>::max()) ++arrivals_[number];
  if (arrivals_[number] > 1) {
    ++counts_.duplicated;
    return keep(examples_.duplicated, number);
  }
  ++distinct_;
  counts_.late += timing == Timing::late;
  if (later_came) {
    ++counts_.reordered;
    keep(examples_.reordered, number);
  }
  if (body == Body::intact) return;
  ++counts_.corrupted;
  keep(examples_.corrupted, number);
}

/// What came until now was not lost by this.
void StreamTally::on_subscriber_away() {
  if (!away_.empty() && away_.back().end == open_end) return;
  away_.push_back({arrivals_.size(), open_end});
}

void StreamTally::on_subscriber_back(std::uint64_t next_sent) {
  if (away_.empty() || away_.back().end != open_end) return;
  away_.back().end = next_sent;
  if (away_.back().begin >= next_sent) away_.pop_back();
}

/// Of a subscriber that was away: what came last before to what was sent last before it came back. Of a
/// publisher whose connection was lost: the last ones before, in one piece.
std::vector<bool> StreamTally::excused(const Published& published, mqtt::QoS qos) const {
  std::vector<bool> excused(published.sent);
  for (const std::uint64_t number : published.refused)
    if (number < published.sent) excused[number] = true;
  if (qos != mqtt::QoS::at_most_once) return excused;
  for (const Range& range : away_)
    for (std::uint64_t n = range.begin; n < std::min(range.end, published.sent); ++n) excused[n] = true;
  for (const std::uint64_t next : published.breaks)
    for (std::uint64_t n = std::min(next, published.sent); n > 0 && !has(n - 1); --n) excused[n - 1] = true;
  return excused;
}

StreamJudgement StreamTally::judge(const Published& published, mqtt::QoS qos) const {
  StreamJudgement result{counts_, examples_};
  StreamCounts& counts = result.counts;
  counts.expected = published.sent - std::min(published.sent, std::uint64_t{published.refused.size()});
  counts.received = distinct();
  counts.corrupted += nameless_;
  const std::vector<bool> excuses = excused(published, qos);
  std::uint64_t named = nameless_;  // those missing are these, as long as there are any
  for (std::uint64_t n = 0; n < published.sent; ++n) {
    if (has(n)) continue;
    if (excuses[n]) {
      counts.lost_at_faults += qos == mqtt::QoS::at_most_once;
    } else if (named > 0) {
      --named;
    } else {
      ++counts.lost;
      keep(result.examples.lost, n);
    }
  }
  return result;
}

Breach breach_of(const StreamCounts& counts, mqtt::QoS qos) {
  return {.lost = counts.lost > 0,
          .duplicated = counts.duplicated > 0 && qos != mqtt::QoS::at_least_once,
          .reordered = counts.reordered > 0,
          .corrupted = counts.corrupted > 0};
}

}  // namespace mq::bench
