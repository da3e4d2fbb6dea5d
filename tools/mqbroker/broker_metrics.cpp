#include "mqbroker/broker_metrics.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "common/metric_writer.hpp"

namespace mq {
namespace {

using mqtt::broker::Counters;

void add_clients(MetricWriter& out, const BrokerFacts& facts) {
  const Counters& c = facts.counters;
  out.gauge("connections",
            "Connections, those that have not said CONNECT yet and those that are closing included.",
            facts.server.connections);
  out.gauge("connections_max", "So many connections are let in.", facts.connections_max);
  out.gauge("clients_connected", "Clients that are connected.", c.connected);
  out.gauge("sessions", "Sessions, of connected clients and kept.", c.sessions);
  out.counter("connections_accepted_total", "CONNECT packets that were accepted.", c.connections_accepted);
  out.counter("connections_refused_total", "Connections that ended before their CONNECT was accepted.",
              c.connections_refused);
  out.head("connections_turned_away_total", "counter", "Connections that did not come to be.");
  out.sample(facts.server.surplus, "reason=\"too_many\"");
  out.sample(facts.server.failed, "reason=\"failed\"");
  out.counter("inputs_cut_off_total", "Connections closed because memory had no room for a packet.",
              c.inputs_cut_off);
  out.counter("sessions_expired_total", "Sessions that ended by their expiry interval.", c.sessions_expired);
}

void add_traffic(MetricWriter& out, const Counters& c) {
  out.counter("messages_received_total", "PUBLISH packets of clients.", c.messages_received);
  out.counter("messages_routed_total",
              "Of the PUBLISH packets of clients, those that went past the broker's own thread (--threads).",
              c.messages_routed);
  out.counter("messages_sent_total", "PUBLISH packets to clients, repetitions not counted.", c.messages_sent);
  out.head("messages_dropped_total", "counter",
           "Messages that did not reach a client that was to have them, by reason.");
  for (std::size_t i = 0; i < mqtt::broker::drop_reasons; ++i)
    out.sample(c.dropped[i],
               fmt::format("reason=\"{}\"", to_string(static_cast<mqtt::broker::DropReason>(i))));
  out.counter("payload_received_bytes_total", "Bytes of the messages' payloads.", c.payload_bytes_received);
  out.counter("payload_sent_bytes_total", "Bytes of the messages' payloads.", c.payload_bytes_sent);
  out.counter("packets_received_total", "Packets of all types.", c.packets_received);
  out.counter("packets_sent_total", "Packets of all types.", c.packets_sent);
  out.counter("received_bytes_total", "Bytes of MQTT.", c.bytes_received);
  out.counter("sent_bytes_total", "Bytes of MQTT.", c.bytes_sent);
}

void add_holdings(MetricWriter& out, const BrokerFacts& facts) {
  const Counters& c = facts.counters;
  out.gauge("queued_messages", "Messages that wait for clients, once for each.", c.queued_messages);
  out.gauge("queued_bytes", "Bytes of these.", c.queued_bytes);
  out.gauge("memory_bytes", "What --max-memory bounds.", c.memory_bytes);
  out.gauge("memory_max_bytes", "--max-memory.", facts.memory_max_bytes);
  out.gauge("retained_messages", "Retained messages, without those of $SYS.", c.retained_messages);
  out.gauge("retained_bytes", "Bytes that retained messages and their topics take, those of $SYS too.",
            c.retained_bytes);
  out.gauge("subscriptions", "Subscriptions.", c.subscriptions);
  out.gauge("shared_subscriptions", "Subscriptions that are shared.", c.shared_subscriptions);
}

void add_bridges(MetricWriter& out, const std::vector<BridgeFacts>& bridges) {
  if (bridges.empty()) return;
  const auto label = [](const BridgeFacts& bridge) {
    return fmt::format("bridge=\"{}\"", escape_label(bridge.name));
  };
  out.head("bridge_up", "gauge", "1 while messages can flow over the bridge.");
  for (const BridgeFacts& bridge : bridges) out.sample(bridge.status.connected ? 1 : 0, label(bridge));
  out.head("bridge_messages_total", "counter",
           "Messages over the bridge, repetitions included, and what did not get over it, by what became of "
           "them.");
  for (const BridgeFacts& bridge : bridges)
    for (const auto& [what, count] : numbers_of(bridge.status.messages))
      out.sample(count, fmt::format("{},what=\"{}\"", label(bridge), what));
}

/// Under the names that all exporters use.
void add_process(MetricWriter& out) {
  rusage usage{};
  (void)::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  out.counter("cpu_seconds_total", "Time of processors that was used.",
              seconds(usage.ru_utime) + seconds(usage.ru_stime));
  out.gauge("resident_memory_bytes", "Resident memory.", resident_bytes());
}

}  // namespace

std::uint64_t resident_bytes() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen("/proc/self/statm", "re"),
                                                             std::fclose};
  unsigned long long pages = 0;
  if (!file || std::fscanf(file.get(), "%*u %llu", &pages) != 1) return 0;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string metrics_text(const BrokerFacts& facts) {
  std::string text;
  MetricWriter out{text, "mqbroker_"};
  out.head("info", "gauge", "What is running.");
  out.sample(1, fmt::format("version=\"{}\"", escape_label(MQ_VERSION)));
  out.gauge("uptime_seconds", "Time since the start.", std::chrono::duration<double>{facts.uptime}.count());
  out.gauge("store_up", "1 if what has to be kept can be kept.", facts.fault.empty() ? 1 : 0);
  add_clients(out, facts);
  add_traffic(out, facts.counters);
  add_holdings(out, facts);
  add_bridges(out, facts.bridges);
  MetricWriter process{text, "process_"};
  add_process(process);
  return text;
}

void write_counters(JsonWriter& json, const Counters& c, const mqtt::server::ServerCounters& server) {
  json.field("connections", server.connections);  // as the metric of this name: closing ones too
  json.field("connections_accepted", c.connections_accepted);
  json.field("connections_refused", c.connections_refused);
  json.field("connections_turned_away", server.surplus + server.failed);
  json.field("inputs_cut_off", c.inputs_cut_off);
  json.field("clients", c.connected);
  json.field("sessions", c.sessions);
  json.field("subscriptions", c.subscriptions);
  json.field("retained_messages", c.retained_messages);
  json.field("retained_bytes", c.retained_bytes);
  json.field("messages_received", c.messages_received);
  json.field("messages_routed", c.messages_routed);
  json.field("messages_sent", c.messages_sent);
  json.field("messages_dropped", c.dropped_in_all());
  json.field("bytes_received", c.bytes_received);
  json.field("bytes_sent", c.bytes_sent);
  json.field("queued_messages", c.queued_messages);
  json.field("queued_bytes", c.queued_bytes);
  json.field("memory_bytes", c.memory_bytes);
}

}  // namespace mq
