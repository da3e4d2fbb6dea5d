#include "common/json_writer.hpp"
#include "mqbench/verify_result.hpp"

namespace mq::bench {
namespace {

double to_seconds(mqtt::Duration time) { return std::chrono::duration<double>{time}.count(); }

void add_verify_scenario(JsonWriter& json, const VerifyScenario& s) {
  json.key("scenario");
  json.begin_object();
  json.field("publishers", s.all_publishers());
  json.field("subscribers", s.all_subscribers());
  json.field("size", s.size.text());
  json.field("rate", s.rate);
  json.field("messages", s.messages);
  json.field("seed", s.seed);
  json.field("late_s", to_seconds(s.late));
  json.field("drain_s", to_seconds(s.drain));
  json.key("faults");
  json.begin_array();
  for (const FaultKind kind : s.faults) json.string(to_string(kind));
  json.end_array();
  json.field("fault_rate", s.fault_rate);
  json.field("fault_time_s", to_seconds(s.fault_time));
  json.end_object();
}

void add_stream_counts(JsonWriter& json, const StreamCounts& c) {
  json.field("expected", c.expected);
  json.field("received", c.received);
  json.field("lost", c.lost);
  json.field("lost_at_faults", c.lost_at_faults);
  json.field("duplicated", c.duplicated);
  json.field("reordered", c.reordered);
  json.field("corrupted", c.corrupted);
  json.field("late", c.late);
}

void add_sent(JsonWriter& json, const VerifiedPublisher& p) {
  json.field("sent", p.sent);
  json.field("acked", p.acked);
  json.field("acked_late", p.acked_late);
  json.field("refused", p.refused);
  json.field("unacked", p.unacked);
}

void add_totals(JsonWriter& json, const VerifyResult& result) {
  StreamCounts all;
  for (const VerifiedStream& stream : result.streams) all.add(stream.judged.counts);
  const VerifiedClient seen = result.connections();
  json.key("counts");
  json.begin_object();
  add_sent(json, result.total());
  add_stream_counts(json, all);
  json.field("foreign", result.foreign);
  json.field("connections_lost", seen.connections_lost);
  json.field("sessions_lost", seen.sessions_lost);
  json.field("half_closes_ignored", seen.half_closes_ignored);
  json.field("sessions_left", result.sessions_left);
  json.end_object();
  json.key("faults");
  json.begin_object();
  for (std::size_t n = 0; n < fault_kinds; ++n)
    json.field(to_string(static_cast<FaultKind>(n)), result.faults[n]);
  json.end_object();
}

void add_examples(JsonWriter& json, std::string_view name, const std::vector<std::uint64_t>& numbers) {
  if (numbers.empty()) return;
  json.key(name);
  json.begin_array();
  for (const std::uint64_t number : numbers) json.number(number);
  json.end_array();
}

void add_verified_stream(JsonWriter& json, const VerifiedStream& stream) {
  const StreamExamples& examples = stream.judged.examples;
  json.begin_object();
  json.field("publisher", stream.publisher);
  json.field("subscriber", stream.subscriber);
  json.field("qos", mqtt::to_number(stream.qos));
  json.field("asked_qos", mqtt::to_number(stream.asked));
  add_stream_counts(json, stream.judged.counts);
  json.key("examples");
  json.begin_object();
  add_examples(json, "lost", examples.lost);
  add_examples(json, "duplicated", examples.duplicated);
  add_examples(json, "reordered", examples.reordered);
  add_examples(json, "corrupted", examples.corrupted);
  json.end_object();
  json.end_object();
}

void add_publisher(JsonWriter& json, const VerifiedPublisher& publisher) {
  json.begin_object();
  json.field("name", publisher.name);
  json.field("qos", mqtt::to_number(publisher.qos));
  add_sent(json, publisher);
  json.end_object();
}

void add_client(JsonWriter& json, const VerifiedClient& client) {
  json.begin_object();
  json.field("name", client.name);
  json.field("connections_lost", client.connections_lost);
  json.field("sessions_lost", client.sessions_lost);
  json.field("half_closes_ignored", client.half_closes_ignored);
  json.end_object();
}

template <class Items>
void add_each(JsonWriter& json, std::string_view name, const Items& items, auto add) {
  json.key(name);
  json.begin_array();
  for (const auto& item : items) add(json, item);
  json.end_array();
}

}  // namespace

std::string as_json(const VerifyResult& result) {
  const auto broken = result.broken();
  std::string text;
  JsonWriter json{text};
  WallClockText clock;
  json.begin_object();
  json.field("format", "mqbench-verify/1");
  json.field("run", result.run);
  json.field("started", clock.rfc3339(result.started));
  json.field("ended", clock.rfc3339(result.ended));
  json.field("interrupted", result.interrupted);
  json.field("passed", broken.empty());
  add_each(json, "broken", broken, [](JsonWriter& to, const std::string& each) { to.string(each); });
  add_verify_scenario(json, result.scenario);
  add_totals(json, result);
  add_each(json, "publishers", result.publishers, add_publisher);
  add_each(json, "streams", result.streams, add_verified_stream);
  add_each(json, "clients", result.clients, add_client);
  json.key("broker");
  json.begin_object();
  json.field("address", result.broker);
  json.field("version", result.version);
  json.end_object();
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
