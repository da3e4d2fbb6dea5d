// What the broker says of itself: $SYS, under mosquitto's names, so that what watches one watches the other,
// and the clients that are slow. Nothing here costs a message anything but the counters.
#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <mqtt/broker/broker_state.hpp>

namespace mqtt::broker {
namespace {

/// No client's: nobody is spared a message as its own.
constexpr SubscriberId nobody = std::numeric_limits<SubscriberId>::max();

struct Count {
  const char* name;
  std::uint64_t count;
};

std::uint64_t all_dropped(const Counters& counters) {
  return std::accumulate(counters.dropped.begin(), counters.dropped.end(), std::uint64_t{0});
}

/// Those that only grow, and of which there are averages.
std::array<Count, status_loads> totals_of(const Counters& c) {
  return {{{"messages/received", c.packets_received},
           {"messages/sent", c.packets_sent},
           {"publish/received", c.messages_received},
           {"publish/sent", c.messages_sent},
           {"publish/dropped", all_dropped(c)},
           {"bytes/received", c.bytes_received},
           {"bytes/sent", c.bytes_sent},
           {"sockets", c.sockets},
           {"connections", c.connections_accepted + c.connections_refused}}};
}

}  // namespace

/// At its time: what has changed since the last one.
void Broker::State::tell_status() {
  if (!std::exchange(status.running, true)) status.started = status.last = now;
  status.due = now + config.status_interval;
  tell_numbers();
  tell_heap();
  tell_loads();
  status.last = now;
}

void Broker::State::tell_numbers() {
  const Counters& c = broker.counters();
  const auto uptime = std::chrono::floor<std::chrono::seconds>(now - status.started).count();
  tell_topic("version", config.version);
  tell_topic("uptime", fmt::format("{} seconds", uptime));
  const Count numbers[] = {
      {"clients/total", c.sessions},
      {"clients/maximum", c.connected_maximum},
      {"clients/connected", c.connected},
      {"clients/active", c.connected},
      {"clients/disconnected", c.sessions - c.connected},
      {"clients/inactive", c.sessions - c.connected},
      {"clients/expired", c.sessions_expired},
      {"messages/received", c.packets_received},
      {"messages/sent", c.packets_sent},
      {"messages/stored", c.queued_messages + c.retained_messages},
      {"store/messages/count", c.queued_messages + c.retained_messages},
      {"store/messages/bytes", message_account->bytes},
      {"subscriptions/count", c.subscriptions - c.shared_subscriptions},
      {"shared_subscriptions/count", c.shared_subscriptions},
      {"retained messages/count", c.retained_messages},
      {"publish/messages/received", c.messages_received},
      {"publish/messages/sent", c.messages_sent},
      {"publish/messages/dropped", all_dropped(c)},
      {"publish/bytes/received", c.payload_bytes_received},
      {"publish/bytes/sent", c.payload_bytes_sent},
      {"bytes/received", c.bytes_received},
      {"bytes/sent", c.bytes_sent},
  };
  for (const auto& [name, number] : numbers) tell_topic(name, std::to_string(number));
}

void Broker::State::tell_heap() {
  if (!config.heap_bytes) return;
  const std::size_t bytes = config.heap_bytes();
  status.heap_maximum_bytes = std::max(status.heap_maximum_bytes, bytes);
  tell_topic("heap/current", std::to_string(bytes));
  tell_topic("heap/maximum", std::to_string(status.heap_maximum_bytes));
}

void Broker::State::tell_loads() {
  const auto totals = totals_of(broker.counters());
  for (std::size_t i = 0; i < totals.size(); ++i) {
    LoadAverage& load = status.loads[i];
    if (now > status.last) load.note(totals[i].count, now - status.last);
    for (std::size_t j = 0; j < LoadAverage::minutes.size(); ++j)
      tell_topic(fmt::format("load/{}/{}min", totals[i].name, LoadAverage::minutes[j]),
                 fmt::format("{:.2f}", load.averages()[j]));
  }
}

/// At QoS 0: a client that was away wants to know how things are, not how they were.
void Broker::State::tell_topic(std::string_view name, std::string_view text) {
  const std::string topic = fmt::format("$SYS/broker/{}", name);
  const Retained* const before = retained.find(topic);
  if (before && as_text(before->message->payload()) == text) return;
  PublishView publish;
  publish.topic = topic;
  publish.payload = as_bytes(text);
  publish.retain = true;
  Incoming incoming{.publish = publish, .publisher = nobody};
  incoming.message =
      std::make_shared<const Message>(publish, Deadline{}, 0, ++message_count, message_account);
  if (config.retain_available) {  // the store has no part in it
    if (!before) ++status_topics;
    retained.set(topic, incoming.message);
  }
  route(incoming);
}

void Broker::tell(TimePoint now, std::string_view name, std::string_view text) {
  state_->now = now;
  if (!state_->status.due) return;
  state_->tell_topic(name, text);
  state_->finish();
}

std::vector<SlowClient> Broker::slow_clients(std::size_t count) const {
  std::vector<const Session*> slow;
  for (const auto& connection : state_->connections) {
    const Session* const session = connection->session_;
    if (session && !session->queue.empty()) slow.push_back(session);
  }
  const std::size_t shown = std::min(count, slow.size());
  std::ranges::partial_sort(slow, slow.begin() + static_cast<std::ptrdiff_t>(shown), std::greater{},
                            [](const Session* session) { return session->queue.bytes(); });
  slow.resize(shown);
  std::vector<SlowClient> told;
  for (const Session* session : slow) {
    ServerSession& link = session->connection->link_;
    told.push_back({.client_id = session->client_id(),
                    .address = session->identity.address,
                    .queued_messages = session->queue.size(),
                    .queued_bytes = session->queue.bytes(),
                    .in_flight = link.in_flight(),
                    .unwritten_bytes = link.output().size(),
                    .stopped = session->reading == Reading::stopped});
  }
  return told;
}

}  // namespace mqtt::broker
