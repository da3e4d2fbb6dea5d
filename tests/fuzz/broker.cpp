// The whole broker over transports in memory: several clients that say well-formed, bent and raw bytes,
// read or do not, hang up, while time passes. The first bytes choose the configuration; then each step
// is a byte that says who does what, and what it needs. A client checks all that the broker sends.
#include <mqtt/broker/broker.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/encode.hpp>
#include <mqtt/codec/framer.hpp>

#include <support/packets.hpp>
#include <support/server_watch.hpp>

#include "session_input.hpp"

namespace mqtt::broker {
namespace {

using fuzz::require;

constexpr std::size_t clients = 4;
constexpr std::size_t answers_max = 30;  // bytes of answers that a client may leave unread
constexpr std::array<std::string_view, 8> topics{"a", "a/b", "a/b/c", "$x/a", "", "b", "$SYS/a", "r/1"};
constexpr std::array<std::string_view, 8> filters{"#", "a/#",          "+/b",        "$share/g/a/#",
                                                  "a", "$share/g/a/b", "$share/h/a", "r/+"};
constexpr std::array<std::string_view, 4> client_ids{"c0", "a-client-with-a-long-name", "", "c2"};

/// Allows and refuses by what it is asked.
class Authority final : public Authenticator, public AccessControl {
 public:
  AuthDecision authenticate(const ConnectView& connect, const ConnectionInfo&) override {
    if (connect.user_name == "no") return AuthDecision::refused(ReasonCode::bad_user_name_or_password);
    return AuthDecision::allowed({});
  }
  std::unique_ptr<AuthExchange> begin(std::string_view method, std::string_view) override {
    return method.empty() ? nullptr : std::make_unique<Exchange>();
  }
  std::optional<ReasonCode> find_publish_fault(const Identity&, std::string_view topic) override {
    if (topic != "b") return std::nullopt;
    return ReasonCode::not_authorized;
  }
  std::optional<ReasonCode> find_subscribe_fault(const Identity&, std::string_view filter) override {
    if (filter != "+/b") return std::nullopt;
    return ReasonCode::not_authorized;
  }
  bool may_receive(const Identity& who, std::string_view topic) override {
    return topic != "a/b/c" || who.client_id != "c0";
  }

 private:
  struct Exchange final : AuthExchange {
    AuthDecision step(std::string_view data) override {
      if (data == "no") return AuthDecision::refused(ReasonCode::bad_user_name_or_password);
      if (data == "more") return {.kind = AuthDecision::Kind::challenge, .data = "go on"};
      return AuthDecision::allowed("x");
    }
  };
};

/// Counts the sessions that the store was told of.
class Book final : public Store {
 public:
  void on_retained(std::string_view topic, const MessagePtr& message) override {
    require(!topic.empty());
    require(!message || message->topic() == topic);
  }
  void on_session(const SessionRecord& session) override {
    require(!session.client_id.empty());
    sessions_.insert(session.id);
  }
  void on_session_ended(SubscriberId session) override { require(sessions_.erase(session) == 1); }
  void on_subscribed(const SubscriptionRecord& record) override {
    require(sessions_.contains(record.session) && !record.subscription.filter.empty());
  }
  void on_replay_sent(SubscriberId session, std::string_view filter, std::uint64_t message) override {
    require(sessions_.contains(session) && !filter.empty() && message > 0);
  }
  void on_replayed(SubscriberId session, std::string_view filter) override {
    require(sessions_.contains(session) && !filter.empty());
  }
  void on_unsubscribed(SubscriberId session, std::string_view filter) override {
    require(sessions_.contains(session) && !filter.empty());
  }
  void on_delivery(const DeliveryRecord& delivery) override {
    require(sessions_.contains(delivery.session) && delivery.qos > QoS::at_most_once);
    if (delivery.packet_id != 0) return on_in_flight(delivery.session, delivery.packet_id);
    require(waiting_.insert(delivery.row).second);
  }
  void on_sent(SubscriberId session, std::uint64_t row, const MessagePtr&, PacketId id) override {
    require(waiting_.erase(row) == 1);
    on_in_flight(session, id);
  }
  void on_given_up(std::uint64_t row, const MessagePtr&) override { require(waiting_.erase(row) == 1); }
  void on_taken_over(SubscriberId session, PacketId) override { require(sessions_.contains(session)); }
  void on_finished(SubscriberId session, PacketId) override { require(sessions_.contains(session)); }
  void on_received(SubscriberId session, PacketId id) override {
    require(sessions_.contains(session) && id != 0);
  }
  void on_released(SubscriberId session, PacketId id) override {
    require(sessions_.contains(session) && id != 0);
  }
  Result<void> commit(TimePoint, Urgency) override { return {}; }

 private:
  void on_in_flight(SubscriberId session, PacketId id) { require(sessions_.contains(session) && id != 0); }

  std::set<SubscriberId> sessions_;
  std::set<std::uint64_t> waiting_;
};

BrokerConfig read_config(fuzz::Input& input) {
  BrokerConfig config;
  Limits& limits = config.limits;
  const std::uint8_t sizes = input.byte(), policies = input.byte();
  if ((sizes & 1) != 0) limits.queued_messages = 3;
  if ((sizes & 2) != 0) limits.queued_bytes = 600;
  if ((sizes & 4) != 0) limits.memory = 3000;
  if ((sizes & 8) != 0) limits.in_flight = 2;
  if ((sizes & 16) != 0) limits.write_backlog = 50;
  if ((sizes & 32) != 0) limits.receive_maximum = 2;
  if ((sizes & 64) != 0) limits.retained_messages = 2;
  if ((sizes & 128) != 0) limits.subscriptions_per_client = 2;
  config.slow_consumer = static_cast<SlowConsumer>(policies % 3);
  if ((policies & 4) != 0) config.receive_maximum_policy = ReceiveMaximumPolicy::tolerant;
  config.disconnect_refused_publisher = (policies & 8) != 0;
  config.retain_available = (policies & 16) == 0;
  config.wildcard_available = config.shared_available = (policies & 32) == 0;
  if ((policies & 64) != 0) limits.maximum_qos = QoS::at_least_once;
  if ((policies & 128) != 0) limits.session_expiry_maximum = 5;
  limits.packet_size = 4096;
  limits.sessions = 6;
  return config;
}

struct World {
  explicit World(fuzz::Input& input)
      : packets{input.byte()}, broker{pool, read_config(input), {authority, authority, book, events}, 7} {}

  ChunkPool pool;
  Authority authority;
  Book book;
  BrokerEvents events;
  test::RandomPackets packets;
  TimePoint now{};
  Broker broker;
};

/// One client's end, with whatever it says parsed as the broker would.
class Client final : public ConnectionOwner {
 public:
  explicit Client(World& world) : world_{world} {}

  void on_ready() override {
    require(!announced_);
    announced_ = true;
  }

  [[nodiscard]] bool is_open() const { return connection_ != nullptr; }
  void open() {
    connection_ = &world_.broker.open(world_.now, *this, {"fuzz", "memory", ""});
    announced_ = paused_ = unheard_ = broken_ = connected_ = false;
    waiting_.clear();
    from_client_ = Framer{};
    from_broker_ = Framer{};
    watch_ = {};
    unanswered_.clear();
  }
  void close() {
    if (connection_) world_.broker.close(world_.now, *std::exchange(connection_, nullptr));
  }
  void read(bool reads) { reads_ = reads; }

  void say(const PacketView& packet) {
    OutBuffer out{world_.pool};
    if (!encode(out, packet, version_of(packet))) return;
    std::string bytes;
    iovec part{};
    while (out.gather({&part, 1}) > 0) {
      bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
      out.consume(part.iov_len);
    }
    say_bytes(bytes);
  }

  /// Follows what the broker will understand, so that the watch knows it; past a fault that is nothing.
  void say_bytes(std::string_view bytes) {
    if (!connection_) return;
    Bytes rest = as_bytes(bytes);
    while (!broken_) {
      const auto frame = from_client_.next(rest);
      if (!frame) broken_ = true;
      if (!frame || !*frame) break;
      const auto packet = decode(**frame, {version_, Sender::client});
      if (!packet) {
        broken_ = true;
        break;
      }
      note_said(*packet);
    }
    waiting_.append(bytes);
    send();
  }

  void send() {
    if (!connection_ || paused_ || unheard_ || waiting_.empty()) return;
    const std::string bytes = std::exchange(waiting_, {});
    world_.broker.receive(world_.now, *connection_, as_bytes(bytes));
    paused_ = !connection_->wants_input();
  }

  /// What a server does at the end of a turn.
  bool settle() {
    if (!connection_) return false;
    const std::size_t written = write();
    const bool was_announced = std::exchange(announced_, false);
    world_.broker.note_sent(connection_, written);
    if (written > 0) world_.broker.on_written(world_.now, *connection_);
    if (was_announced || written > 0) world_.broker.serviced(world_.now, *connection_);
    paused_ = !connection_->wants_input();
    if (connection_->wants_close() && (connection_->output().empty() || !reads_)) {
      close();
      return true;
    }
    follow_answers();
    const bool sends = !paused_ && !unheard_ && !waiting_.empty();
    send();
    return written > 0 || was_announced || sends;
  }

  /// Answers the oldest that it has not answered.
  void acknowledge() {
    if (unanswered_.empty()) return;
    const auto [type, id] = unanswered_.front();
    unanswered_.erase(unanswered_.begin());
    if (type == PacketType::puback) say(PubackView{{id, ReasonCode::success, {}}});
    if (type == PacketType::pubrec) say(PubrecView{{id, ReasonCode::success, {}}});
    if (type == PacketType::pubrel) say(PubrelView{{id, ReasonCode::success, {}}});
    if (type == PacketType::pubcomp) say(PubcompView{{id, ReasonCode::success, {}}});
  }

  [[nodiscard]] Version version() const { return version_; }

 private:
  [[nodiscard]] Version version_of(const PacketView& packet) const {
    const auto* connect = std::get_if<ConnectView>(&packet);
    return connect ? connect->version : version_;
  }

  void note_said(const PacketView& packet) {
    if (const auto* connect = std::get_if<ConnectView>(&packet)) {
      if (connected_) {
        broken_ = true;
        return;
      }
      connected_ = true;
      version_ = connect->version;
    }
    watch_.on_sent(packet);
  }

  /// As a server does with a client that does not take its answers.
  void follow_answers() {
    const bool unheard = connection_->output().size() > connection_->messages_end() + answers_max;
    if (std::exchange(unheard_, unheard) == unheard) return;
    if (unheard) return world_.broker.on_reading_stopped(*connection_);
    world_.broker.on_reading_resumed(world_.now, *connection_);
  }

  std::size_t write() {
    if (!reads_) return 0;
    OutBuffer& out = connection_->output();
    std::size_t size = 0;
    iovec part{};
    while (out.gather({&part, 1}) > 0) {
      hear({static_cast<const std::uint8_t*>(part.iov_base), part.iov_len});
      size += part.iov_len;
      out.consume(part.iov_len);
    }
    return size;
  }

  void hear(Bytes bytes) {
    while (true) {
      const auto frame = from_broker_.next(bytes);
      require(frame.has_value());
      if (!*frame) return;
      // What cannot be read is answered in the version that its level says, which this does not follow.
      const auto packet = decode(**frame, {version_, Sender::server});
      require(packet || !connected_);
      if (!packet) return;
      const std::string fault = watch_.find_fault(*packet, (*frame)->bytes.size());
      if (connected_ && !fault.empty()) std::fprintf(stderr, "the broker sent %s\n", fault.c_str());
      require(!connected_ || fault.empty());
      note_heard(*packet);
    }
  }

  void note_heard(const PacketView& packet) {
    const auto add = [this](PacketType type, PacketId id) {
      if (unanswered_.size() < 1000) unanswered_.emplace_back(type, id);
    };
    if (const auto* publish = std::get_if<PublishView>(&packet)) {
      require(!publish->topic.starts_with("$SYS"));
      if (publish->qos == QoS::at_least_once) add(PacketType::puback, publish->packet_id);
      if (publish->qos == QoS::exactly_once) add(PacketType::pubrec, publish->packet_id);
    }
    if (const auto* pubrec = std::get_if<PubrecView>(&packet); pubrec && !is_error(pubrec->reason))
      add(PacketType::pubrel, pubrec->packet_id);
    if (const auto* pubrel = std::get_if<PubrelView>(&packet)) add(PacketType::pubcomp, pubrel->packet_id);
  }

  World& world_;
  Connection* connection_ = nullptr;
  Version version_ = Version::v5;
  bool announced_ = false;
  bool paused_ = false;
  bool unheard_ = false;  // on_reading_stopped()
  bool reads_ = true;
  bool broken_ = false;     // it has said what cannot be understood
  bool connected_ = false;  // it has said CONNECT
  std::string waiting_;     // to be sent when the broker reads on
  Framer from_client_;
  Framer from_broker_;
  test::ServerWatch watch_;
  std::vector<std::pair<PacketType, PacketId>> unanswered_;
};

void connect(Client& client, fuzz::Input& input) {
  const std::uint8_t how = input.byte(), more = input.byte();
  Properties properties;
  ConnectView connect;
  connect.version = std::array{Version::v5, Version::v5, Version::v3_1_1, Version::v3_1}[how & 3];
  connect.client_id = client_ids[how >> 2 & 3];
  connect.clean_start = (how & 16) != 0;
  connect.keep_alive = (how & 32) != 0 ? 2 : 0;
  if ((how & 64) != 0) connect.user_name = "no";
  if (connect.version == Version::v5) {
    if ((more & 1) != 0) properties.add(PropertyId::session_expiry_interval, 10);
    if ((more & 2) != 0) properties.add(PropertyId::receive_maximum, 1);
    if ((more & 4) != 0) properties.add(PropertyId::maximum_packet_size, 40);
    if ((more & 8) != 0) properties.add(PropertyId::topic_alias_maximum, 2);
    if ((more & 16) != 0) properties.add(PropertyId::authentication_method, "m");
  }
  connect.properties = properties;
  Properties will_properties;
  if ((more & 32) != 0) {
    if (connect.version == Version::v5 && (more & 64) != 0)
      will_properties.add(PropertyId::will_delay_interval, 3);
    connect.will = WillView{"a/b", as_bytes("will"), QoS::at_least_once, (more & 128) != 0, will_properties};
  }
  client.say(connect);
}

void publish(Client& client, fuzz::Input& input) {
  const std::uint8_t how = input.byte(), more = input.byte();
  PublishView publish;
  publish.qos = static_cast<QoS>((how & 3) % 3);
  publish.retain = (how & 4) != 0;
  publish.topic = topics[how >> 3 & 7];
  publish.packet_id = publish.qos == QoS::at_most_once ? PacketId{0} : static_cast<PacketId>(1 + (more & 7));
  Properties properties;
  if (client.version() == Version::v5) {
    if ((more & 8) != 0) properties.add(PropertyId::message_expiry_interval, 2);
    if ((more & 16) != 0 || publish.topic.empty()) properties.add(PropertyId::topic_alias, 1 + (how >> 6));
    if ((more & 32) != 0) properties.add_user_property("k", "v");
  }
  publish.properties = properties;
  const std::string payload((more & 64) != 0 ? 300 : more >> 7, 'p');
  publish.payload = as_bytes(payload);
  client.say(publish);
}

void subscribe(Client& client, fuzz::Input& input) {
  const std::uint8_t how = input.byte(), more = input.byte();
  const std::string_view filter = filters[how >> 5];
  SubscriptionOptions options{.qos = static_cast<QoS>((how & 3) % 3)};
  Properties properties;
  if (client.version() == Version::v5) {
    options.no_local = (how & 4) != 0 && !filter.starts_with("$share");
    options.retain_as_published = (how & 8) != 0;
    options.retain_handling = static_cast<RetainHandling>((more & 3) % 3);
    if ((how & 16) != 0) properties.add(PropertyId::subscription_identifier, 1 + (more >> 2));
  }
  if ((more & 128) != 0) {
    FilterList list;
    list.add(filter);
    return client.say(UnsubscribeView{100, {}, list.view()});
  }
  mqtt::SubscriptionList list;
  list.add(filter, options);
  client.say(SubscribeView{101, properties, list.view()});
}

void say_auth(Client& client, fuzz::Input& input) {
  const std::uint8_t how = input.byte();
  Properties properties;
  properties.add(PropertyId::authentication_method, (how & 1) != 0 ? "other" : "m");
  const std::array<std::string_view, 4> answers{"more", "yes", "no", ""};
  properties.add(PropertyId::authentication_data, answers[how >> 1 & 3]);
  client.say(AuthView{(how & 8) != 0 ? ReasonCode::re_authenticate : ReasonCode::continue_authentication,
                      properties});
}

void say_bent(World& world, Client& client, fuzz::Input& input) {
  const auto type = static_cast<PacketType>(1 + input.byte() % 15);
  if (!test::travels(type, client.version(), Sender::client)) return;
  auto bytes = test::encoded(world.packets.next(type, client.version(), Sender::client), client.version());
  const std::uint8_t place = input.byte(), change = input.byte();
  if (!bytes.empty()) bytes[place % bytes.size()] ^= change;
  client.say_bytes(as_text(bytes));
}

void step(World& world, std::array<Client, clients>& all, fuzz::Input& input) {
  const std::uint8_t action = input.byte();
  Client& client = all[action & 3];
  if (!client.is_open()) client.open();
  switch (action >> 2 & 15) {
    case 0: return connect(client, input);
    case 1:
    case 2:
    case 3: return publish(client, input);
    case 4:
    case 5: return subscribe(client, input);
    case 6:
    case 7: return client.acknowledge();
    case 8: return client.read((action & 64) != 0);
    case 9: return client.close();
    case 10:
      return client.say(DisconnectView{
          (action & 64) != 0 ? ReasonCode::disconnect_with_will : ReasonCode::normal_disconnection, {}});
    case 11:
      world.now += std::chrono::milliseconds{input.byte() * 40};
      return world.broker.on_time(world.now);
    case 12: return say_auth(client, input);
    case 13: return say_bent(world, client, input);
    case 14: return client.say_bytes(as_text(input.take(input.byte() & 31)));
    default: return client.say(PingreqView{});
  }
}

/// Until nothing moves any more.
void settle(std::array<Client, clients>& all) {
  for (int turn = 0;; ++turn) {
    require(turn < 100'000);
    bool moved = false;
    for (Client& client : all) moved = client.settle() || moved;
    if (!moved) return;
  }
}

void check(const World& world) {
  const Counters& counters = world.broker.counters();
  const Limits& limits = world.broker.config().limits;
  require(counters.sessions <= limits.sessions);
  require((counters.queued_messages == 0) == (counters.queued_bytes == 0));
  require(counters.retained_messages <= limits.retained_messages);
  require(counters.retained_messages == 0 || counters.retained_bytes > 0);
}

/// Everybody goes, and all that was kept expires.
void end(World& world, std::array<Client, clients>& all) {
  for (Client& client : all) client.close();
  for (int turn = 0; const auto next = world.broker.next_deadline(); ++turn) {
    require(turn < 1000);
    if (*next > world.now) world.now = *next;
    world.broker.on_time(world.now);
  }
  const Counters& counters = world.broker.counters();
  require(counters.connections == 0 && counters.sessions == 0 && counters.subscriptions == 0);
  require(counters.queued_messages == 0 && counters.queued_bytes == 0 && counters.memory_bytes == 0);
}

}  // namespace
}  // namespace mqtt::broker

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mqtt::broker;
  mqtt::fuzz::Input input{{data, size}};
  World world{input};
  std::array<Client, clients> all{Client{world}, Client{world}, Client{world}, Client{world}};
  while (!input.empty()) {
    step(world, all, input);
    settle(all);
    check(world);
  }
  end(world, all);
  return 0;
}
