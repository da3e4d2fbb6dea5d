#include "common/json_writer.hpp"
#include "mqbench/histogram_json.hpp"
#include "mqbench/results/stored_result.hpp"

namespace mq::bench::results {
namespace {

/// What JsonWriter::key() wants: names of a file that was read may hold anything.
std::string escaped(std::string_view name) {
  std::string text;
  JsonWriter{text}.string(name);
  return text.substr(1, text.size() - 2);
}

void add_fields(JsonWriter& json, std::string_view name, const Fields& fields) {
  json.key(name);
  json.begin_object();
  for (const Field& field : fields) {
    json.key(escaped(field.name));
    json.raw(field.json);
  }
  json.end_object();
}

template <class T>
void add_if_known(JsonWriter& json, std::string_view name, const std::optional<T>& value) {
  if (value) json.field(name, *value);
}

void add_notes(JsonWriter& json, const std::vector<std::string>& notes) {
  if (notes.empty()) return;
  json.key("notes");
  json.begin_array();
  for (const std::string& note : notes) json.string(note);
  json.end_array();
}

void add_refusals(JsonWriter& json, const std::vector<StoredCount>& refusals) {
  if (refusals.empty()) return;
  json.key("refusals");
  json.begin_array();
  for (const StoredCount& refusal : refusals) {
    json.begin_object();
    json.field("reason", refusal.name);
    json.field("count", refusal.value);
    json.end_object();
  }
  json.end_array();
}

void add_activity(JsonWriter& json, const std::optional<StoredActivity>& activity) {
  if (!activity) return;
  json.key("activity");
  json.begin_object();
  json.field("tcp_segments_sent", activity->segments_sent);
  json.field("tcp_segments_resent", activity->segments_resent);
  json.field("throttled_periods", activity->throttled_periods);
  json.field("throttled_s", activity->throttled_s);
  json.field("stolen", activity->stolen);
  add_if_known(json, "busiest_reception", activity->busiest_reception);
  json.end_object();
}

void add_head(JsonWriter& json, const StoredResult& result) {
  WallClockText clock;
  json.field("format", "mqbench/1");
  json.field("run", result.run);
  json.field("started", clock.rfc3339(result.started));
  json.field("ended", clock.rfc3339(result.ended));
  json.field("interrupted", result.interrupted);
  json.field("verdict", result.verdict);
  if (!result.reason.empty()) json.field("reason", result.reason);
  add_notes(json, result.notes);
  add_if_known(json, "passed", result.passed);
  if (!result.scenario_hash.empty()) json.field("scenario_hash", result.scenario_hash);
  json.field("workers", result.workers);
  if (!result.clock) return;
  json.key("clock");
  json.begin_object();
  json.field("offset_ns", result.clock->offset_ns);
  json.field("error_ns", result.clock->error_ns);
  json.end_object();
}

void add_parts(JsonWriter& json, const std::vector<Fields>& parts) {
  json.key("parts");
  json.begin_array();
  for (const Fields& part : parts) {
    json.begin_object();
    for (const Field& field : part) {
      json.key(escaped(field.name));
      json.raw(field.json);
    }
    json.end_object();
  }
  json.end_array();
}

void add_thresholds(JsonWriter& json, const std::vector<StoredThreshold>& thresholds) {
  json.key("thresholds");
  json.begin_array();
  for (const StoredThreshold& threshold : thresholds) {
    json.begin_object();
    json.field("expr", threshold.expression);
    add_if_known(json, "value", threshold.value);
    json.field("passed", threshold.passed);
    json.end_object();
  }
  json.end_array();
}

void add_counts(JsonWriter& json, const StoredResult& result) {
  json.key("counts");
  json.begin_object();
  for (const StoredCount& count : result.counts) json.field(escaped(count.name), count.value);
  json.end_object();
  json.key("times_ns");
  json.begin_object();
  add_if_known(json, "first_due", result.times.first_due);
  add_if_known(json, "last_sent", result.times.last_sent);
  add_if_known(json, "last_received", result.times.last_received);
  json.end_object();
  json.key("rates");
  json.begin_object();
  json.field("sent_per_second", result.sent_per_second);
  json.field("received_per_second", result.received_per_second);
  json.end_object();
}

void add_outages(JsonWriter& json, const std::vector<StoredOutage>& outages) {
  json.key("outages");
  json.begin_array();
  for (const StoredOutage& outage : outages) {
    json.begin_object();
    json.field("from_s", outage.from);
    json.field("to_s", outage.to);
    json.field("over", outage.over);
    json.field("connections", outage.connections);
    json.field("received", outage.received);
    add_if_known(json, "began_ns", outage.began_ns);
    add_if_known(json, "recovered_ns", outage.recovered_ns);
    add_if_known(json, "lost", outage.lost);
    add_if_known(json, "part", outage.part);
    json.end_object();
  }
  json.end_array();
}

void add_interval(JsonWriter& json, const StoredInterval& interval) {
  json.begin_object();
  json.field("t_s", interval.second);
  add_if_known(json, "sent", interval.sent);
  add_if_known(json, "received", interval.received);
  add_if_known(json, "connections", interval.connections);
  if (interval.latency) add_histogram(json, "latency", interval.latency->dense());
  add_if_known(json, "tool_cpu", interval.tool_cpu);
  add_if_known(json, "broker_cpu", interval.broker_cpu);
  add_if_known(json, "broker_rss_bytes", interval.broker_rss_bytes);
  add_if_known(json, "broker_fds", interval.broker_fds);
  json.end_object();
}

void add_intervals(JsonWriter& json, const std::vector<StoredInterval>& intervals) {
  json.key("intervals");
  json.begin_array();
  for (const StoredInterval& interval : intervals) add_interval(json, interval);
  json.end_array();
}

}  // namespace

std::string as_json(const StoredResult& result) {
  std::string text;
  JsonWriter json{text};
  json.begin_object();
  add_head(json, result);
  if (!result.parts.empty()) add_parts(json, result.parts);
  if (!result.thresholds.empty()) add_thresholds(json, result.thresholds);
  add_fields(json, "scenario", result.scenario);
  add_counts(json, result);
  add_refusals(json, result.refusals);
  json.key("latency_ns");
  json.begin_object();
  for (const StoredLatency& latency : result.latencies)
    add_histogram(json, escaped(latency.name), latency.histogram);
  json.end_object();
  if (!result.outages.empty()) add_outages(json, result.outages);
  if (!result.intervals.empty()) add_intervals(json, result.intervals);
  add_fields(json, "broker", result.broker);
  add_fields(json, "tool", result.tool);
  add_fields(json, "machine", result.machine);
  add_activity(json, result.activity);
  json.end_object();
  text += '\n';
  return text;
}

}  // namespace mq::bench::results
