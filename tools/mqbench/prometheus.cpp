#include "mqbench/prometheus.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <utility>

#include "common/metric_writer.hpp"

namespace mq::bench {
namespace {

/// Bounds of the histogram, as they are written and in nanoseconds. Fixed, so that runs can be compared.
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 22> bounds{{
    {"0.00001", 10'000},    {"0.000025", 25'000},     {"0.00005", 50'000},    {"0.0001", 100'000},
    {"0.00025", 250'000},   {"0.0005", 500'000},      {"0.001", 1'000'000},   {"0.0025", 2'500'000},
    {"0.005", 5'000'000},   {"0.01", 10'000'000},     {"0.025", 25'000'000},  {"0.05", 50'000'000},
    {"0.1", 100'000'000},   {"0.25", 250'000'000},    {"0.5", 500'000'000},   {"1", 1'000'000'000},
    {"2.5", 2'500'000'000}, {"5", 5'000'000'000},     {"10", 10'000'000'000}, {"25", 25'000'000'000},
    {"50", 50'000'000'000}, {"100", 100'000'000'000},
}};

double seconds_in(mqtt::Duration time) { return std::chrono::duration<double>{time}.count(); }
double seconds_in(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

void add_labels_of_run(MetricWriter& out, const LiveState& state, const RunLabels& labels) {
  out.head("info", "gauge", "What is run.");
  out.sample(1, fmt::format("scenario=\"{}\",run=\"{}\",shard=\"{}\",version=\"{}\"",
                            escape_label(state.scenario), labels.run, labels.shard, MQ_VERSION));
  out.head("phase", "gauge", "1 for the phase that the run is in.");
  for (const Phase phase : {Phase::connecting, Phase::running, Phase::draining})
    out.sample(phase == state.phase ? 1 : 0, fmt::format("phase=\"{}\"", to_string(phase)));
  if (state.elapsed)
    out.add("elapsed_seconds", "gauge", "Time since the common start.", seconds_in(*state.elapsed));
  if (state.left)
    out.add("left_seconds", "gauge", "Time until the last message is due.", seconds_in(*state.left));
}

void add_counts_of(MetricWriter& out, const LiveState& state) {
  out.add("clients", "gauge", "Clients of this process.", state.clients);
  out.add("clients_ready", "gauge", "Clients that have been connected and subscribed.", state.ready);
  out.add("connections", "gauge", "Clients that are connected.", state.connections);
  out.add("messages_sent_total", "counter", "Messages that were sent.", state.sent);
  out.add("messages_received_total", "counter", "Different messages that were delivered.", state.received);
  out.add("messages_expected_total", "counter", "Deliveries that follow from what was sent.", state.expected);
  out.add("messages_under_way", "gauge", "Deliveries that have not come yet.", state.under_way());
  if (state.errors.empty()) return;
  out.head("errors_total", "counter", "What has gone wrong, by reason.");
  for (const auto& [reason, count] : state.errors)
    out.sample(count, fmt::format("reason=\"{}\"", escape_label(reason)));
}

void add_histogram_of(MetricWriter& out, const Histogram& all) {
  out.head("latency_seconds", "histogram",
           "From when a message was due (without a rate: was sent) to its arrival.");
  std::uint64_t count = 0;
  std::size_t counter = 0;
  for (const auto& [text, bound] : bounds) {
    for (; counter < all.counters().size() && all.highest_of(counter) <= bound; ++counter)
      count += all.counters()[counter];
    out.sample(count, fmt::format("le=\"{}\"", text), "_bucket");
  }
  out.sample(all.count(), "le=\"+Inf\"", "_bucket");
  out.sample(all.mean() * static_cast<double>(all.count()) / 1e9, {}, "_sum");
  out.sample(all.count(), {}, "_count");
}

void add_last_second(MetricWriter& out, const IntervalLatency& last) {
  out.head("latency_last_second_seconds", "gauge", "Percentiles of the last complete second with messages.");
  const auto add = [&out](std::string_view percentile, std::uint64_t ns) {
    out.sample(seconds_in(ns), fmt::format("percentile=\"{}\"", percentile));
  };
  add("50", last.p50);
  add("99", last.p99);
  add("99.9", last.p99_9);
  add("100", last.max);
}

void add_usage(MetricWriter& out, const Usage& usage) {
  out.add("tool_processors", "gauge", "Processors that mqbench kept busy in the last second.",
          usage.tool_cpu);
  if (usage.broker_cpu)
    out.add("broker_processors", "gauge", "Processors that the broker kept busy in the last second.",
            *usage.broker_cpu);
  if (!usage.broker) return;
  out.add("broker_resident_memory_bytes", "gauge", "Memory of the broker.", usage.broker->rss_bytes);
  if (usage.broker->descriptors)
    out.add("broker_open_fds", "gauge", "Descriptors of the broker.", *usage.broker->descriptors);
}

}  // namespace

std::string prometheus_text(const LiveState& state, const RunLabels& labels) {
  std::string text;
  MetricWriter out{text, "mqbench_"};
  add_labels_of_run(out, state, labels);
  add_counts_of(out, state);
  if (state.so_far) add_histogram_of(out, *state.so_far);
  if (state.last_second) add_last_second(out, *state.last_second);
  if (state.usage) add_usage(out, *state.usage);
  return text;
}

}  // namespace mq::bench
