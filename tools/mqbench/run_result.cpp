#include "mqbench/run_result.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "mqbench/histogram_log.hpp"

namespace mq::bench {
namespace {

using Seconds = std::chrono::duration<double>;

/// A thread that is busier than this has no time to be exact.
constexpr double busy_max = 0.85;
/// Of the distance between two messages of a publisher; and never less than a scheduler's tick.
constexpr double lag_share_max = 0.1;
constexpr double lag_ns_always_allowed = 1e6;
/// A thread that cannot run for so much of its time, when it wants to, is late for acknowledgements too: that
/// a window is full says nothing then.
constexpr double absent_max = 0.3;
/// So many messages may have waited for the window or the socket before that explains a lag.
constexpr double held_share_max = 0.01;

std::string first_line(const char* path) {
  std::string line;
  std::ifstream file{path};
  std::getline(file, line);
  return line;
}

std::string cpu_model() {
  std::ifstream file{"/proc/cpuinfo"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
  return {};
}

double rate(std::uint64_t count, mqtt::Deadline from, mqtt::Deadline to) {
  if (!from || !to || *to <= *from) return 0;
  return static_cast<double>(count) / Seconds{*to - *from}.count();
}

/// How late messages may be at the 99th percentile.
double lag_allowed_ns(const LoadPattern& load) {
  return std::max(lag_ns_always_allowed, lag_share_max * load.interval_ns * load.publishers);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::tool_bound: return "tool-bound";
    case Verdict::broker_bound: return "broker-bound";
    default: return "valid";
  }
}

Machine this_machine() {
  utsname names{};
  uname(&names);
  return {.host = names.nodename,
          .kernel = fmt::format("{} {}", names.sysname, names.release),
          .cpu = cpu_model(),
          .processors = std::max(1U, std::thread::hardware_concurrency()),
          .clock_source = first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
          .governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")};
}

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

void judge(RunResult& result) {
  const Measurements& m = result.measurements;
  const double allowed = lag_allowed_ns(result.plan.load);
  const auto lag = static_cast<double>(m.lag.at_percentile(99));
  const bool late = result.plan.scenario.open_loop() && (lag > allowed || m.unsent > 0);
  const bool absent = result.absent > absent_max;
  const bool held = !absent && static_cast<double>(m.held) > held_share_max * static_cast<double>(m.sent);
  if (result.busiest > busy_max) {
    result.verdict = Verdict::tool_bound;
    result.reason = fmt::format("a thread was busy for {:.0f} % of its time", result.busiest * 100);
  } else if (late) {
    result.verdict = held ? Verdict::broker_bound : Verdict::tool_bound;
    result.reason =
        fmt::format("1 % of the messages left {:.3g} ms late or later, of {:.3g} ms allowed, and {} never{}",
                    lag / 1e6, allowed / 1e6, m.unsent, held ? "; the socket or the window was full" : "");
    if (absent)
      result.reason += fmt::format("; a thread could not run for {:.0f} % of its time", result.absent * 100);
  }
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
