#include "mqbench/outages.hpp"

#include <algorithm>

namespace mq::bench {
namespace {

using mqtt::Duration;
using Seconds = std::chrono::seconds;

struct Span {
  Duration from{};
  std::optional<Duration> to;  // none: it did not end
  std::int64_t away = 0;       // clients, at most
};

/// Seconds without a delivery. Of one that goes on to the last in which messages are due, nobody saw the end.
void add_silence(std::vector<Span>& spans, std::span<const Interval> intervals, const Service& service) {
  if (!service.delivers) return;
  const std::size_t end = std::min(intervals.size(), service.due_seconds);
  for (std::size_t second = 0; second < end; ++second) {
    if (intervals[second].received > 0) continue;
    const std::optional<Duration> to =
        second + 1 < end ? std::optional<Duration>{Seconds{second + 1}} : std::nullopt;
    spans.push_back({.from = Seconds{second}, .to = to, .away = 0});
  }
}

/// Clients that are missing when the run starts are missing from its first moment on.
void add_absences(std::vector<Span>& spans, std::vector<Presence> changes, mqtt::TimePoint start) {
  // At one time, who comes back does so before the next one goes.
  std::ranges::sort(changes, [](const Presence& a, const Presence& b) {
    return a.at != b.at ? a.at < b.at : a.change > b.change;
  });
  std::int64_t away = 0;
  for (const Presence& each : changes) {
    if (away == 0) spans.push_back({.from = std::max(Duration{}, each.at - start), .to = {}, .away = 0});
    away -= each.change;
    spans.back().away = std::max(spans.back().away, away);
    if (away > 0) continue;
    spans.back().to = each.at - start;
    if (each.at <= start) spans.pop_back();
  }
}

Outage outage_of(const Span& span, std::span<const Interval> intervals, std::uint64_t clients) {
  Outage outage{.began = span.from,
                .recovered = span.to,
                .from = PerSecond::second_of(span.from),
                .to = intervals.size(),
                .connections = clients - std::min(clients, static_cast<std::uint64_t>(span.away)),
                .received = 0,
                .lost = std::nullopt};
  if (span.to)
    outage.to = std::max(outage.from + 1, PerSecond::second_of(std::chrono::ceil<Seconds>(*span.to)));
  outage.to = std::max(outage.to, outage.from + 1);
  for (std::size_t n = outage.from; n < std::min(outage.to, intervals.size()); ++n)
    outage.received += intervals[n].received;
  return outage;
}

std::uint64_t at(const PerSecond& counts, std::size_t second) {
  return second < counts.counts().size() ? counts.counts()[second] : 0;
}

}  // namespace

void PresenceLog::note(mqtt::TimePoint at, std::int64_t change) {
  if (changes_.size() < kept_max) return changes_.push_back({at, change});
  changes_.back().at = at;
  changes_.back().change += change;
}

std::vector<Outage> find_outages(std::span<const Interval> intervals, const Service& service,
                                 std::vector<Presence> changes) {
  std::vector<Span> spans;
  add_absences(spans, std::move(changes), service.start);
  add_silence(spans, intervals, service);
  std::ranges::sort(spans, {}, &Span::from);
  std::vector<Span> joined;
  for (const Span& each : spans) {
    const bool apart = joined.empty() || (joined.back().to && each.from >= *joined.back().to + Seconds{1});
    if (apart) {
      joined.push_back(each);
      continue;
    }
    Span& last = joined.back();
    last.to = last.to && each.to ? std::optional{std::max(*last.to, *each.to)} : std::nullopt;
    last.away = std::max(last.away, each.away);
  }
  std::vector<Outage> outages;
  for (const Span& each : joined) outages.push_back(outage_of(each, intervals, service.clients));
  return outages;
}

void judge_outages(std::vector<Outage>& outages, const PerSecond& due, const PerSecond& came) {
  for (Outage& outage : outages) {
    outage.lost = 0;
    for (std::size_t second = outage.from; second < outage.to; ++second)
      *outage.lost += at(due, second) - std::min(at(due, second), at(came, second));
  }
}

}  // namespace mq::bench
