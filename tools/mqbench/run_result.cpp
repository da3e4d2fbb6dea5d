#include "mqbench/run_result.hpp"

#include <algorithm>

#include "mqbench/histogram_log.hpp"

namespace mq::bench {
namespace {

using Seconds = std::chrono::duration<double>;

double rate(std::uint64_t count, mqtt::Deadline from, mqtt::Deadline to) {
  if (!from || !to || *to <= *from) return 0;
  return static_cast<double>(count) / Seconds{*to - *from}.count();
}

}  // namespace

double RunResult::sent_rate() const {
  return rate(measurements.sent, measurements.first_due, measurements.last_sent);
}

double RunResult::received_rate() const {
  const mqtt::Deadline from = measurements.came_back ? measurements.came_back : measurements.first_due;
  return rate(measurements.received, from, measurements.last_received);
}

double RunResult::cpu_seconds_per_million() const {
  const std::uint64_t messages = measurements.sent + measurements.received;
  return messages == 0 ? 0 : Seconds{cpu}.count() / static_cast<double>(messages) * 1e6;
}

bool RunResult::passed() const {
  return std::ranges::all_of(thresholds, [](const ThresholdOutcome& each) { return each.passed; });
}

std::string as_histogram_log(const RunResult& result) {
  const Measurements& m = result.measurements;
  std::string text;
  HistogramLogWriter writer{text, result.started};
  const auto add = [&](const char* tag, const Histogram& histogram) {
    if (histogram.count() > 0)
      writer.add({.tag = tag,
                  .start = result.started,
                  .length = result.ended - result.started,
                  .histogram = histogram});
  };
  add("due-to-received", m.due_to_received);
  add("sent-to-received", m.sent_to_received);
  add("lag", m.lag);
  add("ack", m.ack);
  add("tcp", m.tcp);
  add("tls", m.tls);
  add("websocket", m.websocket);
  add("connack", m.connack);
  add("connect", m.connect);
  add("subscribe", m.subscribe);
  add("unsubscribe", m.unsubscribe);
  add("catch-up", m.catch_up);
  add("undisturbed", m.undisturbed);
  add("disturbed", m.disturbed);
  return text;
}

}  // namespace mq::bench
