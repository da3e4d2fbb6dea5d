#include <array>

#include "common/json_writer.hpp"
#include "mqbench/histogram_encoding.hpp"
#include "mqbench/scenario_json.hpp"
#include "mqbench/search_result.hpp"

namespace mq::bench {
namespace {

void add_search_plan(JsonWriter& json, const SearchPlan& plan) {
  json.field("quantity", plan.quantity == SearchQuantity::rate ? "rate" : "clients");
  json.key("objectives");
  json.begin_array();
  for (const Threshold& each : plan.objectives) json.string(each.text());
  json.end_array();
  json.key("limits");
  json.begin_object();
  json.field("first", plan.limits.first);
  json.field("lowest", plan.limits.lowest);
  json.field("highest", plan.limits.highest);
  json.field("precision", plan.limits.precision);
  json.field("steps_max", plan.limits.steps_max);
  json.field("repeats", plan.limits.repeats);
  json.end_object();
}

void add_step_latency(JsonWriter& json, const Histogram& latency) {
  if (latency.count() == 0) return;
  json.key("latency_ns");
  json.begin_object();
  json.field("count", latency.count());
  json.field("p50", latency.at_percentile(50));
  json.field("p90", latency.at_percentile(90));
  json.field("p99", latency.at_percentile(99));
  json.field("p99.9", latency.at_percentile(99.9));
  json.field("max", latency.max());
  json.field("hdr", encode_histogram(latency));
  json.end_object();
}

void add_search_step(JsonWriter& json, const SearchStep& step) {
  constexpr std::array attempts{"good", "bad", "tool-bound", "network-bound"};
  json.begin_object();
  json.field("load", step.load);
  json.field("attempt", attempts[static_cast<std::size_t>(step.attempt)]);
  if (!step.reason.empty()) json.field("reason", step.reason);
  json.field("run", step.run);
  json.field("verdict", to_string(step.verdict));
  json.field("sent", step.sent);
  json.field("lost", step.lost);
  json.field("sent_per_second", step.sent_rate);
  json.field("received_per_second", step.received_rate);
  add_step_latency(json, step.latency);
  json.end_object();
}

}  // namespace

std::string as_json(const SearchResult& result) {
  std::string text;
  JsonWriter json{text};
  WallClockText clock;
  json.begin_object();
  json.field("format", "mqbench-search/1");
  json.field("started", clock.rfc3339(result.started));
  json.field("ended", clock.rfc3339(result.ended));
  json.field("interrupted", result.interrupted);
  json.key("scenario");
  write_scenario(json, result.scenario);
  add_search_plan(json, result.plan);
  json.key("steps");
  json.begin_array();
  for (const SearchStep& step : result.steps) add_search_step(json, step);
  json.end_array();
  if (result.end) json.field("end", to_string(*result.end));
  if (result.best) json.field("best", *result.best);
  if (result.bad) json.field("bad", *result.bad);
  if (const SearchStep* const knee = result.knee()) json.field("knee", knee->load);
  json.field("conclusion", result.conclusion());
  json.field("broker", result.broker);
  json.key("tool");
  json.begin_object();
  json.field("version", MQ_VERSION);
  json.field("command_line", result.command_line);
  json.end_object();
  json.end_object();
  text += '\n';
  return text;
}

}  // namespace mq::bench
