#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "mqbench/run_result.hpp"
#include "mqbench/scenario_lists.hpp"

namespace mq::bench {
namespace {

using Out = std::back_insert_iterator<std::string>;

std::string_view wiring_name(Wiring wiring) {
  switch (wiring) {
    case Wiring::all: return "all to all";
    case Wiring::shared: return "shared";
    default: return "pairs";
  }
}

void add_scenario(Out out, const Scenario& s) {
  fmt::format_to(out, "{}: {} publishers, {} subscribers ({}), QoS {}:{}, {}{}, ", s.name, s.publishers,
                 s.subscribers, wiring_name(s.wiring), mqtt::to_number(s.publish_qos),
                 mqtt::to_number(s.subscribe_qos), s.payload.text().empty() ? s.size.text() : "payload of ",
                 s.payload.text().empty() ? " bytes" : in_quotes(s.payload.text()));
  if (!s.open_loop())
    fmt::format_to(out, "closed loop");
  else if (s.arrival == Arrival::poisson)
    fmt::format_to(out, "{:g}/s, Poisson", s.rate);
  else if (s.burst > 1)
    fmt::format_to(out, "{:g}/s in bursts of {}", s.rate, s.burst);
  else
    fmt::format_to(out, "{:g}/s", s.rate);
  if (s.count > 0)
    fmt::format_to(out, ", {} messages\n", s.count);
  else
    fmt::format_to(out, ", {} after {}\n", mqtt::format_duration(s.duration),
                   mqtt::format_duration(s.warmup));
}

/// What is not in the line of the broker.
void add_details(Out out, const Scenario& s) {
  const auto add = [&out](std::string_view what, const std::vector<mqtt::Endpoint>& brokers) {
    if (brokers.empty()) return;
    std::vector<std::string> urls;
    for (const mqtt::Endpoint& broker : brokers) urls.push_back(mqtt::public_url(broker));
    fmt::format_to(out, "{} {}\n", what, fmt::join(urls, ", "));
  };
  add("publishers to", s.publish_to);
  add("subscribers from", s.subscribe_from);
  for (const std::string& each : property_texts(s.properties))
    fmt::format_to(out, "property {}\n", mqtt::escape_for_terminal(each));
}

void add_counts(Out out, const RunResult& result) {
  const Measurements& m = result.measurements;
  fmt::format_to(out, "sent       {:>10}  {:>10.1f}/s   unsent {}, held back {}\n", m.sent,
                 result.sent_rate(), m.unsent, m.held);
  if (result.plan.scenario.publish_qos != mqtt::QoS::at_most_once)
    fmt::format_to(out, "acked      {:>10}                 rejected {}, unacked {}\n", m.acked, m.rejected,
                   m.unacked);
  fmt::format_to(out, "delivered  {:>10}  {:>10.1f}/s   expected {}\n", m.received, result.received_rate(),
                 m.expected);
  fmt::format_to(
      out,
      "lost {}, duplicated {}, reordered {}, corrupted {}, foreign {}, retained {}, connections lost {}\n",
      m.lost, m.duplicated, m.reordered, m.corrupted, m.foreign, m.retained, m.connections_lost);
  if (m.slow_lost > 0) fmt::format_to(out, "lost {} of the slow readers\n", m.slow_lost);
  for (const auto& [reason, count] : m.refusals) fmt::format_to(out, "refused {}: {}\n", count, reason);
}

void add_outage(Out out, const Outage& outage) {
  const auto seconds = [](mqtt::Duration time) { return std::chrono::duration<double>{time}.count(); };
  fmt::format_to(out, "outage from {:.3f} s ", seconds(outage.began));
  if (outage.recovered)
    fmt::format_to(out, "to {:.3f} s", seconds(*outage.recovered));
  else
    fmt::format_to(out, "on, which did not end");
  fmt::format_to(out, ": {} connections at least, {} messages came", outage.connections, outage.received);
  if (outage.lost) fmt::format_to(out, ", {} were lost", *outage.lost);
  fmt::format_to(out, "\n");
}

void add_latency(Out out, std::string_view name, const Histogram& h) {
  if (h.count() == 0) return;
  const auto ms = [&h](double percent) { return static_cast<double>(h.at_percentile(percent)) / 1e6; };
  fmt::format_to(out, "{:<18}{:>10}{:>10.3f}{:>10.3f}{:>10.3f}{:>10.3f}{:>10.3f}{:>10.3f}\n", name, h.count(),
                 h.mean() / 1e6, ms(50), ms(90), ms(99), ms(99.9), static_cast<double>(h.max()) / 1e6);
  if (h.clipped() + h.negative() > 0)
    fmt::format_to(out, "{:<18}{} above the range, {} negative\n", "", h.clipped(), h.negative());
}

/// A value that would do is no success of a run whose verdict is not valid.
std::string outcome(const ThresholdOutcome& each, Verdict verdict) {
  if (each.passed) return "passed";
  if (!each.value || !each.threshold.is_met_by(*each.value)) return "MISSED";
  return fmt::format("NOT PASSED, because the run is {}", to_string(verdict));
}

void add_thresholds(Out out, const RunResult& result) {
  for (const ThresholdOutcome& each : result.thresholds)
    fmt::format_to(out, "threshold {}: {} ({})\n", each.threshold.text(), outcome(each, result.verdict),
                   each.value ? each.threshold.shown(*each.value) : "nothing was measured");
}

}  // namespace

std::string as_text(const RunResult& result) {
  const Measurements& m = result.measurements;
  std::string text;
  const Out out{text};
  add_scenario(out, result.plan.scenario);
  fmt::format_to(out, "broker {} ({}), MQTT {}{}{}\n", result.broker, result.agreed.peer,
                 to_string(result.agreed.version), result.agreed.tls_version.empty() ? "" : ", ",
                 result.agreed.tls_version);
  add_details(out, result.plan.scenario);
  fmt::format_to(out, "verdict {}{}{}\n", to_string(result.verdict), result.reason.empty() ? "" : ": ",
                 result.reason);
  add_thresholds(out, result);
  for (const std::string& note : result.notes) fmt::format_to(out, "note: {}\n", note);
  text += '\n';
  add_counts(out, result);
  for (const Outage& outage : result.outages) add_outage(out, outage);
  fmt::format_to(out, "\n{:<18}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "latency in ms", "count",
                 "mean", "p50", "p90", "p99", "p99.9", "max");
  add_latency(out, "due to received", m.due_to_received);
  add_latency(out, "sent to received", m.sent_to_received);
  if (result.plan.scenario.open_loop()) add_latency(out, "due to sent", m.lag);
  add_latency(out, "sent to acked", m.ack);
  add_latency(out, "connect", m.connect);
  add_latency(out, "subscribe", m.subscribe);
  add_latency(out, "unsubscribe", m.unsubscribe);
  add_latency(out, "catching up", m.catch_up);
  add_latency(out, "before slow reads", m.undisturbed);
  add_latency(out, "during slow reads", m.disturbed);
  fmt::format_to(out, "\n{} thread{}, the busiest {:.0f} % busy, {:.2f} CPU-s per million messages\n",
                 result.threads, result.threads == 1 ? "" : "s", result.busiest * 100,
                 result.cpu_seconds_per_million());
  return text;
}

}  // namespace mq::bench
