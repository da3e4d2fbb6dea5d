#include "mqbench/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mqbench/run_result.hpp"

namespace mq::bench {
namespace {

using Seconds = std::chrono::duration<double>;

/// A thread that is busier than this has no time to be exact.
constexpr double busy_max = 0.85;
/// A thread that cannot run for so much of its time, when it wants to, is late for acknowledgements too: that
/// a window is full says nothing then.
constexpr double absent_max = 0.3;
/// Of its time, that a thread left bytes in a socket: 2 MiB had come while it was busy with others.
constexpr double unread_share_max = 0.01;
/// So many messages may have waited for the window or the socket before that explains a lag.
constexpr double held_share_max = 0.01;
/// Of the run's time, that a control group's quota or a hypervisor took away.
constexpr double taken_share_max = 0.01;
/// Of all segments; below it TCP's recovery does not show at the 99th percentile.
constexpr double resent_share_max = 0.01;
/// Fewer say nothing about a rate.
constexpr std::uint64_t resent_always_allowed = 100;

/// Why the verdict is what it is; nothing if it does not apply.
using Reason = std::optional<std::string>;

double percent(double share) { return share * 100; }

double run_seconds(const RunResult& result) { return Seconds{result.ended - result.started}.count(); }

double throttled_share(const RunResult& result) {
  const double seconds = run_seconds(result) * std::max(result.threads, 1U);
  return seconds > 0 ? Seconds{result.activity.throttled}.count() / seconds : 0;
}

Reason tool_has_no_time(const RunResult& result) {
  if (result.busiest > busy_max)
    return fmt::format("a thread was busy for {:.0f} % of its time", percent(result.busiest));
  if (throttled_share(result) > taken_share_max)
    return fmt::format(
        "the processor quota of the control group stopped this process for {:.2g} s in {} periods",
        Seconds{result.activity.throttled}.count(), result.activity.throttled_periods);
  if (result.unread > unread_share_max)
    return fmt::format("bytes that had come were left unread for {:.0f} % of the time",
                       percent(result.unread));
  return std::nullopt;
}

Reason network_loses(const RunResult& result) {
  const auto resent = static_cast<double>(result.segments.resent);
  const auto all = static_cast<double>(result.segments.sent);
  if (result.segments.resent <= resent_always_allowed || resent <= resent_share_max * all)
    return std::nullopt;
  return fmt::format("{:.1f} % of the TCP segments that this run sent were sent again",
                     percent(resent / all));
}

Reason messages_leave_late(const RunResult& result) {
  if (!result.plan.scenario.open_loop()) return std::nullopt;
  const Measurements& m = result.measurements;
  const auto allowed = static_cast<double>(lag_allowed(result.plan.load).count());
  const auto lag = static_cast<double>(m.lag.at_percentile(99));
  if (lag <= allowed && m.unsent == 0) return std::nullopt;
  return fmt::format("1 % of the messages left {:.3g} ms late or later, of {:.3g} ms allowed, and {} never",
                     lag / 1e6, allowed / 1e6, m.unsent);
}

/// What a client without a connection does not send is not late by our fault.
Reason clients_were_cut_off(const RunResult& result) {
  const Measurements& m = result.measurements;
  const bool in_time =
      m.lag.at_percentile(99) <= static_cast<std::uint64_t>(lag_allowed(result.plan.load).count());
  if (m.unsent == 0 || m.connections_lost == 0 || !in_time) return std::nullopt;
  return fmt::format("{} connections were lost, and {} messages never left", m.connections_lost, m.unsent);
}

bool was_absent(const RunResult& result) { return result.absent > absent_max; }

bool was_held(const Measurements& m) {
  return static_cast<double>(m.held) > held_share_max * static_cast<double>(m.sent);
}

std::pair<Verdict, std::string> find_verdict(const RunResult& result) {
  if (auto reason = tool_has_no_time(result)) return {Verdict::tool_bound, std::move(*reason)};
  auto late = messages_leave_late(result);
  // Before the network: what nobody takes while we do not run is sent again, too.
  if (late && was_absent(result))
    return {Verdict::tool_bound, fmt::format("{}; a thread could not run for {:.0f} % of its time", *late,
                                             percent(result.absent))};
  if (auto reason = network_loses(result)) return {Verdict::network_bound, std::move(*reason)};
  if (!late) return {Verdict::valid, ""};
  if (auto reason = clients_were_cut_off(result)) return {Verdict::broker_bound, std::move(*reason)};
  if (!was_held(result.measurements)) return {Verdict::tool_bound, std::move(*late)};
  return {Verdict::broker_bound, *late + "; the socket or the window was full"};
}

void note_delayed_acks(RunResult& result) {
  const double share = delayed_ack_share(result.measurements.sent_to_received);
  if (share > 0)
    result.notes.push_back(
        fmt::format("{:.0f} % of the latencies are from 38 to 45 ms, where a delayed acknowledgement meets "
                    "Nagle's algorithm: mqbench sets TCP_NODELAY, does the broker? (mosquitto: "
                    "set_tcp_nodelay true){}",
                    percent(share), result.quick_ack ? "" : "; without that delay: --quickack"));
}

void note_window(RunResult& result) {
  const auto asked = result.plan.scenario.window;
  if (!asked || !result.agreed.window || *result.agreed.window >= *asked) return;
  result.notes.push_back(
      fmt::format("the window is {} and not {}: the broker takes no more (Receive Maximum)",
                  *result.agreed.window, *asked));
}

void note_stolen_time(RunResult& result) {
  if (result.activity.stolen > taken_share_max)
    result.notes.push_back(fmt::format("the hypervisor gave {:.1f} % of the processors' time to others",
                                       percent(result.activity.stolen)));
}

void note_early_end(RunResult& result) {
  if (result.interrupted) result.notes.emplace_back("the run was ended by a signal before its time");
}

void note_embedded(RunResult& result) {
  if (result.embedded)
    result.notes.emplace_back(
        "the broker was in this process (--self): this is the floor of this machine, not a broker's result");
}

/// Values from `from` to below `to`, by the middle of their counters.
std::uint64_t count_between(const Histogram& h, std::uint64_t from, std::uint64_t to) {
  std::uint64_t count = 0;
  for (std::size_t n = 0; n < h.counters().size() && h.lowest_of(n) < to; ++n)
    if ((h.lowest_of(n) + h.highest_of(n)) / 2 >= from) count += h.counters()[n];
  return count;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::tool_bound: return "tool-bound";
    case Verdict::broker_bound: return "broker-bound";
    case Verdict::network_bound: return "network-bound";
    default: return "valid";
  }
}

/// A heap: denser by far than the same width on both sides of it together.
double delayed_ack_share(const Histogram& latency) {
  constexpr std::uint64_t ms = 1'000'000;
  constexpr std::uint64_t few = 10;
  constexpr double share_min = 0.01, denser = 3;
  const std::uint64_t inside = count_between(latency, 38 * ms, 45 * ms);
  const std::uint64_t around =
      count_between(latency, 31 * ms, 38 * ms) + count_between(latency, 45 * ms, 52 * ms);
  const double share =
      latency.count() == 0 ? 0 : static_cast<double>(inside) / static_cast<double>(latency.count());
  const bool heaped = static_cast<double>(inside) > denser * static_cast<double>(around);
  return inside >= few && share >= share_min && heaped ? share : 0;
}

void judge(RunResult& result) {
  std::tie(result.verdict, result.reason) = find_verdict(result);
  result.notes.clear();
  note_embedded(result);
  note_early_end(result);
  note_window(result);
  note_delayed_acks(result);
  note_stolen_time(result);
}

}  // namespace mq::bench
