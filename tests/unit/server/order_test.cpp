// Random histories of clients over sockets, played beside a server of several threads: whatever way a message
// takes through it, a receiver gets those of one publisher and topic in order, all of them, and none twice.
#include "order_client.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <support/temp_directory.hpp>
#include <thread>
#include <unit/server/server_test.hpp>

#include <fmt/format.h>

namespace mqtt::server::test::order {
namespace {

/// Of these histories most messages could be routed in the threads of their publishers: subscriptions are
/// plain, and rows of QoS 0 longer.
bool is_plain(std::uint64_t seed) { return seed % 4 >= 2; }

/// The clients' side, in a thread of its own.
class History {
 public:
  History(std::uint64_t seed, std::vector<net::StreamTarget> targets)
      : gentle{seed % 2 == 0},
        plain_{is_plain(seed)},
        seed_{seed},
        dice_{seed},
        targets_{std::move(targets)} {}

  void play();
  [[nodiscard]] std::uint64_t count_received() const;
  /// Of those that all arrived, or of all.
  [[nodiscard]] std::uint64_t count_sent(bool with_lost) const;

  const bool gentle;  // nothing is lost with connections

 private:
  void step();
  void join(Kind kind, std::string id = {});
  void burst(Client& client, bool exact);
  void subscribe(Client& client);
  void unsubscribe(Client& client);
  void leave(Client& client);
  void take_over(Client& client);
  void settle();
  [[nodiscard]] Kind any_kind();
  template <class Condition>
  [[nodiscard]] Client* any(Condition condition);
  [[nodiscard]] Client* any_publisher() {
    return any([](const Client& client) { return client.kind.publishes; });
  }
  [[nodiscard]] Client* any_subscriber() {
    return any([](const Client& client) { return !client.kind.shares && !client.busy(); });
  }

  const bool plain_;
  std::uint64_t seed_;
  Dice dice_;
  std::vector<net::StreamTarget> targets_;
  Common common_;
  std::size_t large_left_ = 40;
};

void History::play() {
  const bool grouped = dice_.one_in(2) && !plain_;
  for (int i = 0; i < 2 && grouped; ++i) {
    Kind kind = any_kind();
    kind.shares = true;
    kind.publishes = false;
    kind.packet_max = 0;
    kind.will = {};
    join(kind);
    subscribe(*common_.clients.back());
  }
  settle();
  for (std::size_t i = 3 + dice_.below(4); i > 0; --i) join(any_kind());
  settle();
  for (std::size_t i = 2 + dice_.below(5); i > 0; --i)
    if (Client* const client = any_subscriber()) subscribe(*client);
  for (std::size_t i = 20 + dice_.below(40); i > 0 && !common_.failed; --i) step();
  settle();
  common_.tell("all is settled; once more, with nobody subscribing");
  for (const auto& client : common_.clients)
    if (client->here() && client->kind.publishes) burst(*client, true);
  settle();
  for (const auto& client : common_.clients)
    if (client->here()) client->leave();
  settle();
}

template <class Condition>
Client* History::any(Condition condition) {
  std::vector<Client*> found;
  for (const auto& client : common_.clients)
    if (client->here() && condition(*client)) found.push_back(client.get());
  return found.empty() ? nullptr : found[dice_.below(found.size())];
}

Kind History::any_kind() {
  Kind kind;
  kind.version = dice_.of({Version::v5, Version::v3_1_1});
  kind.publishes = dice_.below(3) > 0;
  if (kind.publishes && dice_.one_in(2)) kind.will = dice_.below(names.size());
  if (kind.version != Version::v5) return kind;
  if (plain_ && !dice_.one_in(6)) return kind;
  kind.dresses = dice_.one_in(3);
  kind.aliases = dice_.one_in(3);
  kind.as_published = dice_.one_in(2);
  if (dice_.one_in(4)) kind.packet_max = small_packets;
  kind.receive_maximum = dice_.of<std::uint32_t>({0, 1, 3, 100});
  kind.alias_maximum = dice_.of<std::uint32_t>({0, 0, 2});
  return kind;
}

void History::join(Kind kind, std::string id) {
  auto stream = net::test::open_now(common_.loop, targets_[dice_.below(targets_.size())]);
  if (!stream) return common_.fail(stream.error().context);
  const std::size_t number = common_.clients.size();
  if (id.empty()) id = fmt::format("client {}", number);
  common_.clients.push_back(
      std::make_unique<Client>(common_, number, id, kind, seed_ + number, std::move(*stream)));
  Client& client = *common_.clients.back();
  for (std::size_t i = 0; i < number; ++i) {
    client.meet(i);
    common_.clients[i]->meet(number);
  }
  client.meet(number);
  common_.tell(
      fmt::format("{} comes as \"{}\"{}", client.name(), id, kind.publishes ? " and publishes" : ""));
  // Often the first messages are behind CONNECT already.
  if (kind.publishes && !kind.aliases && dice_.one_in(3)) return burst(client, false);
  client.flush();
}

void History::step() {
  Client* client = nullptr;
  switch (dice_.below(gentle ? 13 : 14)) {
    case 0:
    case 1:
      if ((client = any_subscriber())) subscribe(*client);
      break;
    case 2:
      if ((client = any_subscriber())) unsubscribe(*client);
      break;
    case 3:
      if ((client = any([](const Client&) { return true; }))) {
        common_.tell(client->name() + " does not read");
        client->pause();
      }
      break;
    case 4:
      if ((client = any([](const Client&) { return true; }))) {
        common_.tell(client->name() + " does not acknowledge");
        client->hold_acks();
      }
      break;
    case 5:
      for (const auto& each : common_.clients) each->resume();
      break;
    case 6:
      if (common_.clients.size() < 16) join(any_kind());
      break;
    case 7:
      if ((client = any([&](const Client& each) {
             return !each.kind.shares && (!gentle || (!each.has_subscribed && each.kind.publishes));
           })))
        leave(*client);
      break;
    case 8:
      if (dice_.one_in(3)) settle();
      break;
    case 13:
      if ((client = any([](const Client& each) { return !each.kind.shares; }))) take_over(*client);
      break;
    default:
      if ((client = any_publisher())) burst(*client, false);
  }
  for (std::size_t i = dice_.below(3); i > 0; --i) net::test::run_ready(common_.loop);
}

/// Most are long rows of QoS 0 to one topic.
void History::burst(Client& client, bool exact) {
  std::size_t topic = dice_.below(names.size());
  const std::size_t count = dice_.of<std::size_t>({1, 20, 150, 600}) + dice_.below(80);
  const std::size_t mixed = dice_.of<std::size_t>({plain_ ? 500U : 3U, 50, 300});
  common_.tell(fmt::format("{} publishes {} to {}, and others", client.name(), count, names.at(topic)));
  for (std::size_t i = 0; i < count; ++i) {
    if (dice_.one_in(200)) client.ping();
    if (dice_.one_in(200)) topic = dice_.below(names.size());
    const bool retain = dice_.one_in(plain_ ? 600 : 150);
    const QoS qos =
        dice_.one_in(mixed) ? dice_.of({QoS::at_least_once, QoS::exactly_once}) : QoS::at_most_once;
    std::size_t size = dice_.one_in(5) ? dice_.below(1500) : 0;
    if (large_left_ > 0 && dice_.one_in(60)) {
      --large_left_;
      size = small_packets + 10'000 + dice_.below(70'000);
    }
    client.publish(topic, qos, retain, size, exact);
  }
  client.flush(dice_.one_in(3) ? dice_.below(20'000) : SIZE_MAX);
}

void History::subscribe(Client& client) {
  Filter filter{.text = client.kind.shares ? "o/#" : filters.at(dice_.below(filters.size())), .options = {}};
  if (std::ranges::count(client.held, filter.text, &Filter::text) > 0) return;
  filter.options.qos = static_cast<QoS>(dice_.below(3));
  if (client.kind.version == Version::v5) {
    if (dice_.one_in(2) && !plain_) filter.identifier = static_cast<std::uint32_t>(1 + dice_.below(300));
    filter.options.no_local = !client.kind.shares && dice_.one_in(4);
    filter.options.retain_as_published = client.kind.as_published;
    filter.options.retain_handling =
        client.kind.as_published ? RetainHandling::do_not_send : RetainHandling::send;
  }
  common_.tell(fmt::format("{} subscribes to {} with QoS {}", client.name(), filter.text,
                           to_number(filter.options.qos)));
  client.subscribe(filter);
  // Often more follows before the answer has come.
  if (client.kind.publishes && dice_.one_in(2)) return burst(client, false);
  client.flush();
}

void History::unsubscribe(Client& client) {
  if (client.held.empty()) return;
  const std::size_t index = dice_.below(client.held.size());
  common_.tell(fmt::format("{} unsubscribes from {}", client.name(), client.held[index].text));
  client.unsubscribe(index);
  client.flush();
}

/// Often right behind messages.
void History::leave(Client& client) {
  if (client.kind.publishes && dice_.one_in(2)) burst(client, false);
  client.flush();
  const std::size_t how = dice_.below(gentle ? 2 : 4);
  if (how == 2 && (client.has_to_read() || client.has_subscribed)) return;
  constexpr std::array ways{"says DISCONNECT", "ends its output", "closes, and has nothing to read",
                            "closes"};
  common_.tell(fmt::format("{} {}", client.name(), ways.at(how)));
  switch (how) {
    case 0: return client.leave();
    case 1: return client.end_output();
    default: return client.close(how == 2);
  }
}

void History::take_over(Client& client) {
  client.give_way();
  join(any_kind(), client.id);
}

/// Everybody reads until all that has to come is there.
void History::settle() {
  for (const auto& client : common_.clients) client->resume();
  std::string missing;
  const auto settled = [&] {
    return common_.failed || std::ranges::all_of(common_.clients, [&](const auto& client) {
             missing = client->find_missing();
             return missing.empty();
           });
  };
  if (!net::test::run_until(common_.loop, settled, 1min)) common_.fail("this has not come: " + missing);
}

std::uint64_t History::count_received() const {
  std::uint64_t count = 0;
  for (const auto& client : common_.clients) count += client->received;
  return count;
}

std::uint64_t History::count_sent(bool with_lost) const {
  std::uint64_t count = 0;
  for (const auto& client : common_.clients)
    if (with_lost || !client->tail_is_lost) count += client->count_sent();
  return count;
}

class Order : public ServerTest, public testing::WithParamInterface<std::size_t> {
 protected:
  void play(std::uint64_t seed);
  [[nodiscard]] bool adds_up(const History& history) const;
  [[nodiscard]] static std::size_t count_sockets();

  net::test::TempDirectory directory_;
  std::uint64_t routed_ = 0;  // messages that threads have routed
};

INSTANTIATE_TEST_SUITE_P(Threads, Order, testing::Values(1, 2, 3, 4), testing::PrintToStringParamName());

void Order::play(std::uint64_t seed) {
  Dice dice{seed};
  config.threads = GetParam();
  broker::Limits& limits = config.broker.limits;
  limits.in_flight = dice.of<std::uint16_t>({1, 10, 256});
  limits.write_backlog = dice.of<std::size_t>({1000, 64'000, 1024 * 1024});
  limits.receive_maximum = receive_maximum_default;
  limits.queued_messages = 1'000'000;
  limits.queued_bytes = limits.memory = std::size_t{8} << 30;  // nothing is dropped
  config.broker.slow_consumer = dice.of({broker::SlowConsumer::drop, broker::SlowConsumer::stall});
  if (is_plain(seed)) config.broker.slow_consumer = broker::SlowConsumer::drop;
  config.listeners.resize(2);
  config.listeners[1].listen.unix_path = directory_.file("socket");  // small buffers
  const std::size_t sockets = count_sockets();
  open();
  {
    History history{seed, {target(0), target(0), target(1)}};
    std::atomic<bool> over = false;
    std::thread clients{[&] {
      SCOPED_TRACE(fmt::format("MQ_HISTORY_SEED={} MQ_HISTORIES=1, {} threads", seed, GetParam()));
      history.play();
      over = true;
    }};
    EXPECT_TRUE(run_until(loop, [&] { return over.load(); }, 10min));
    clients.join();
    if (HasFailure()) return;
    const auto& counters = server->broker().counters();
    EXPECT_TRUE(net::test::run_until(
        loop, [&] { return adds_up(history); }, 1min))
        << "seed " << seed << ": " << counters.messages_received << " and " << counters.messages_sent
        << " counted, " << history.count_sent(true) << " and " << history.count_received() << " seen";
    EXPECT_EQ(counters.dropped_for(broker::DropReason::queue_full), 0U);
    EXPECT_EQ(counters.dropped_for(broker::DropReason::memory_full), 0U);
    routed_ += counters.messages_routed;
  }
  destroy_server();
  EXPECT_EQ(count_sockets(), sockets) << "seed " << seed;
}

std::size_t Order::count_sockets() {
  std::size_t count = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"})
    if (std::filesystem::read_symlink(entry.path(), gone).string().starts_with("socket:")) ++count;
  return count;
}

/// The broker has counted what clients have; more than they got may have been on its way to those that went.
bool Order::adds_up(const History& history) const {
  const auto& counters = server->broker().counters();
  const std::uint64_t sent = counters.messages_sent, received = counters.messages_received;
  if (history.gentle) return received == history.count_sent(true) && sent == history.count_received();
  return received >= history.count_sent(false) && received <= history.count_sent(true) &&
         sent >= history.count_received();
}

/// MQ_HISTORIES and MQ_HISTORY_SEED: how many, and from which seed. That says what clients try; how threads
/// and sockets interleave it is different each time.
TEST_P(Order, Mqtt_4_6_0_5_HoldsWhateverHappens) {
  const std::uint64_t first = mqtt::test::number_from("MQ_HISTORY_SEED", 1);
  const std::uint64_t count = mqtt::test::number_from("MQ_HISTORIES", 4);
  bool routes = false;
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    play(seed);
    routes = routes || is_plain(seed);
  }
  if (routes) {
    EXPECT_EQ(routed_ > 0, GetParam() > 1);
  }
}

}  // namespace
}  // namespace mqtt::server::test::order
