#include <fmt/format.h>

#include "common/json_writer.hpp"
#include "mqbench/histogram_json.hpp"
#include "mqbench/run_result.hpp"
#include "mqbench/scenario_json.hpp"

namespace mq::bench {
namespace {

double seconds(mqtt::Duration time) { return std::chrono::duration<double>{time}.count(); }

/// From the common start; those of several machines can be put together, which a rate cannot.
void add_times(JsonWriter& json, const RunResult& result) {
  const auto add = [&](std::string_view name, mqtt::Deadline time) {
    if (time) json.field(name, (*time - result.start).count());
  };
  json.key("times_ns");
  json.begin_object();
  add("first_due", result.measurements.first_due);
  add("last_sent", result.measurements.last_sent);
  add("last_received", result.measurements.last_received);
  json.end_object();
}

void add_thresholds(JsonWriter& json, const RunResult& result) {
  if (result.thresholds.empty()) return;
  json.key("thresholds");
  json.begin_array();
  for (const ThresholdOutcome& each : result.thresholds) {
    json.begin_object();
    json.field("expr", each.threshold.text());
    if (each.value) json.field("value", *each.value);
    json.field("passed", each.passed);
    json.end_object();
  }
  json.end_array();
  json.field("passed", result.passed());
}

void add_refusals(JsonWriter& json, const Measurements& m) {
  if (m.refusals.empty()) return;
  json.key("refusals");
  json.begin_array();
  for (const auto& [reason, count] : m.refusals) {
    json.begin_object();
    json.field("reason", reason);
    json.field("count", count);
    json.end_object();
  }
  json.end_array();
}

void add_counts(JsonWriter& json, const RunResult& result) {
  const Measurements& m = result.measurements;
  json.key("counts");
  json.begin_object();
  json.field("offered", m.sent + m.unsent);
  json.field("sent", m.sent);
  json.field("unsent", m.unsent);
  json.field("held", m.held);
  json.field("sending_turns", m.sending_turns);
  json.field("unsent_bytes", m.unsent_bytes);
  json.field("acked", m.acked);
  json.field("rejected", m.rejected);
  json.field("unacked", m.unacked);
  json.field("expected", m.expected);
  json.field("received", m.received);
  json.field("lost", m.lost);
  json.field("duplicated", m.duplicated);
  json.field("reordered", m.reordered);
  json.field("corrupted", m.corrupted);
  json.field("foreign", m.foreign);
  json.field("retained", m.retained);
  json.field("connections_lost", m.connections_lost);
  if (result.plan.scenario.slow > 0) json.field("slow_lost", m.slow_lost);
  json.end_object();
  add_refusals(json, m);
  add_times(json, result);
  json.key("rates");
  json.begin_object();
  json.field("sent_per_second", result.sent_rate());
  json.field("received_per_second", result.received_rate());
  json.end_object();
}

void add_interval(JsonWriter& json, std::size_t second, const Interval& interval) {
  const auto add = [&json](std::string_view name, const auto& value) {
    if (value) json.field(name, *value);
  };
  json.begin_object();
  json.field("t_s", second);
  json.field("sent", interval.sent);
  json.field("received", interval.received);
  add("connections", interval.connections);
  if (interval.latency) add_interval_latency(json, "latency", *interval.latency);
  add("tool_cpu", interval.tool_cpu);
  add("broker_cpu", interval.broker_cpu);
  add("broker_rss_bytes", interval.broker_rss_bytes);
  add("broker_fds", interval.broker_descriptors);
  json.end_object();
}

void add_intervals(JsonWriter& json, const std::vector<Interval>& intervals) {
  json.key("intervals");
  json.begin_array();
  for (std::size_t second = 0; second < intervals.size(); ++second)
    add_interval(json, second, intervals[second]);
  json.end_array();
}

void add_latencies(JsonWriter& json, const RunResult& result) {
  const Measurements& m = result.measurements;
  json.key("latency_ns");
  json.begin_object();
  add_histogram(json, "due_to_received", m.due_to_received);
  add_histogram(json, "sent_to_received", m.sent_to_received);
  if (result.plan.scenario.open_loop()) add_histogram(json, "lag", m.lag);
  add_histogram(json, "ack", m.ack);
  add_histogram(json, "tcp", m.tcp);
  add_histogram(json, "tls", m.tls);
  add_histogram(json, "websocket", m.websocket);
  add_histogram(json, "connack", m.connack);
  add_histogram(json, "connect", m.connect);
  add_histogram(json, "subscribe", m.subscribe);
  add_histogram(json, "unsubscribe", m.unsubscribe);
  add_histogram(json, "catch_up", m.catch_up);
  add_histogram(json, "undisturbed", m.undisturbed);
  add_histogram(json, "disturbed", m.disturbed);
  json.end_object();
}

void add_watched(JsonWriter& json, const RunResult& result) {
  if (result.watched.empty()) return;
  json.key("processes");
  json.begin_array();
  for (const WatchedProcess& each : result.watched) {
    json.begin_object();
    json.field("pid", each.pid);
    if (!each.allowed_processors.empty()) json.field("allowed_processors", each.allowed_processors);
    json.end_object();
  }
  json.end_array();
}

void add_broker(JsonWriter& json, const RunResult& result) {
  json.key("broker");
  json.begin_object();
  json.field("address", result.broker);
  json.field("peer", result.agreed.peer);
  json.field("version", to_string(result.agreed.version));
  json.field("receive_maximum", result.agreed.receive_maximum);
  if (result.agreed.window) json.field("window", *result.agreed.window);
  if (result.embedded) json.field("embedded", true);
  add_watched(json, result);
  json.field("maximum_packet_size", result.agreed.maximum_packet_size);
  if (!result.agreed.tls_version.empty()) {
    json.field("tls_version", result.agreed.tls_version);
    json.field("tls_cipher", result.agreed.tls_cipher);
  }
  json.end_object();
}

void add_tool(JsonWriter& json, const RunResult& result) {
  json.key("tool");
  json.begin_object();
  json.field("version", MQ_VERSION);
  json.field("build", MQ_BUILD);
  json.field("tcp_nodelay", true);  // libmqtt sets it on every connection
  if (result.quick_ack) json.field("tcp_quickack", true);
  json.field("command_line", result.command_line);
  json.field("threads", result.threads);
  json.field("cpu_s", seconds(result.cpu));
  json.field("busiest", result.busiest);
  json.field("unread", result.unread);
  json.field("cpu_s_per_million", result.cpu_seconds_per_million());
  json.end_object();
}

void add_machine(JsonWriter& json, const Machine& machine) {
  const auto add = [&json](std::string_view name, const std::string& value) {
    if (!value.empty()) json.field(name, value);
  };
  json.key("machine");
  json.begin_object();
  json.field("host", machine.host);
  json.field("kernel", machine.kernel);
  json.field("cpu", machine.cpu);
  json.field("processors", machine.processors);
  add("allowed_processors", machine.allowed_processors);
  json.field("clock_source", machine.clock_source);
  add("governor", machine.governor);
  if (machine.sibling_threads) json.field("sibling_threads", *machine.sibling_threads);
  if (machine.cpu_quota) json.field("cpu_quota", *machine.cpu_quota);
  json.end_object();
}

/// What the machine did during the run.
void add_activity(JsonWriter& json, const RunResult& result) {
  const SystemActivity& activity = result.activity;
  json.key("activity");
  json.begin_object();
  json.field("tcp_segments_sent", result.segments.sent);
  json.field("tcp_segments_resent", result.segments.resent);
  json.field("throttled_periods", activity.throttled_periods);
  json.field("throttled_s", seconds(activity.throttled));
  json.field("stolen", activity.stolen);
  if (activity.busiest_reception) json.field("busiest_reception", *activity.busiest_reception);
  json.end_object();
}

void add_notes(JsonWriter& json, const std::vector<std::string>& notes) {
  json.key("notes");
  json.begin_array();
  for (const std::string& note : notes) json.string(note);
  json.end_array();
}

void add_outages(JsonWriter& json, const std::vector<Outage>& outages) {
  if (outages.empty()) return;
  json.key("outages");
  json.begin_array();
  for (const Outage& outage : outages) {
    json.begin_object();
    json.field("from_s", outage.from);
    json.field("to_s", outage.to);
    json.field("over", outage.recovered.has_value());
    json.field("began_ns", outage.began.count());
    if (outage.recovered) json.field("recovered_ns", outage.recovered->count());
    json.field("connections", outage.connections);
    json.field("received", outage.received);
    if (outage.lost) json.field("lost", *outage.lost);
    json.end_object();
  }
  json.end_array();
}

void add_shard(JsonWriter& json, const RunResult& result) {
  if (!result.shard) return;
  json.key("shard");
  json.begin_object();
  json.field("index", result.plan.shard.index + 1);
  json.field("count", result.plan.shard.count);
  json.field("complete", result.shard->complete);
  json.end_object();
  json.key("clock");
  json.begin_object();
  json.field("offset_ns", result.shard->clock.offset.count());
  json.field("error_ns", result.shard->clock.error.count());
  json.field("latency_error_ns", result.shard->latency_error.count());
  json.end_object();
}

}  // namespace

std::string as_json(const RunResult& result) {
  std::string text;
  JsonWriter json{text};
  WallClockText clock;
  json.begin_object();
  json.field("format", "mqbench/1");
  json.field("run", result.plan.run);
  json.field("started", clock.rfc3339(result.started));
  json.field("ended", clock.rfc3339(result.ended));
  json.field("interrupted", result.interrupted);
  json.field("verdict", to_string(result.verdict));
  if (!result.reason.empty()) json.field("reason", result.reason);
  add_notes(json, result.notes);
  add_thresholds(json, result);
  json.key("scenario");
  write_scenario(json, result.plan.scenario);
  json.field("scenario_hash", fmt::format("{:016x}", hash_of(result.plan.scenario)));
  add_shard(json, result);
  add_counts(json, result);
  add_latencies(json, result);
  add_outages(json, result.outages);
  add_intervals(json, result.intervals);
  add_broker(json, result);
  add_tool(json, result);
  add_machine(json, result.machine);
  add_activity(json, result);
  json.end_object();
  text += '\n';
  return text;
}

}  // namespace mq::bench
