// histories COUNT FIRST_SEED: random histories of a ClientSession and a ServerSession back to back.
//
// Octets travel in random parts and are lost when the connection is cut; both sides publish, acknowledge
// late and out of order, reconnect and go on. Each history is decided by its seed alone. It must end with
// every QoS 1 message delivered at least once and every QoS 2 message exactly once, first deliveries in
// the order of publishing, no identifier taken twice, acknowledgements in order, nothing sent again on a
// live connection, and nothing lost that was reported as published.
#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <mqtt/session/client_session.hpp>
#include <mqtt/session/server_session.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::test {
namespace {

/// splitmix64: small, and the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_{seed * 0x9E3779B97F4A7C15u + 1} {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// 0 to bound - 1.
  std::size_t below(std::size_t bound) { return next() % bound; }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

struct Message {
  QoS qos = QoS::at_most_once;
  std::string topic;
  std::string payload;
  unsigned received = 0;
  bool published = false;
  bool refused = false;  // by an error code of the receiver's: may come again
};

/// One direction: what was published, what came, in which order.
struct Flow {
  std::vector<Message> messages;
  std::size_t last_first_qos_0 = 0;  // index + 1 of the latest first delivery
  std::size_t last_first = 0;        // the same for QoS 1 and 2
};

struct Fault {
  std::string text;
};

struct Plan {
  Version version = Version::v5;
  bool server_forgets = false;
  std::size_t cut_one_in = 50;
  std::size_t messages = 20;
};

/// Watches the packets of one side for what the other cannot see or does not check.
class Watcher final : public PacketObserver {
 public:
  explicit Watcher(std::string& fault) : fault_{fault} {}

  void completed(PacketId id) {
    open_.erase(id);
    sent_now_.erase(id);
    std::erase(to_release_, id);
  }
  void forget() {
    open_.clear();
    to_release_.clear();
  }

  void on_packet_sent(const PacketView& packet) override {
    if (const auto* connack = std::get_if<ConnackView>(&packet)) connection_begins(*connack);
    if (const auto* publish = std::get_if<PublishView>(&packet)) sent(*publish);
    if (const auto* puback = std::get_if<PubackView>(&packet))
      acknowledged(puback->packet_id, QoS::at_least_once);
    if (const auto* pubrec = std::get_if<PubrecView>(&packet))
      acknowledged(pubrec->packet_id, QoS::exactly_once);
    if (const auto* pubrel = std::get_if<PubrelView>(&packet)) released(*pubrel);
  }
  void on_packet_received(const PacketView& packet) override {
    if (const auto* connack = std::get_if<ConnackView>(&packet)) connection_begins(*connack);
    if (const auto* publish = std::get_if<PublishView>(&packet); publish && publish->qos != QoS::at_most_once)
      arrived_.emplace_back(publish->packet_id, publish->qos);
    if (const auto* pubrec = std::get_if<PubrecView>(&packet); pubrec && !is_error(pubrec->reason)) {
      to_release_.push_back(pubrec->packet_id);
      releases_due_.push_back(pubrec->packet_id);
    }
  }

 private:
  void fail(std::string text) {
    if (fault_.empty()) fault_ = std::move(text);
  }
  void connection_begins(const ConnackView& connack) {
    sent_now_.clear();
    arrived_.clear();
    if (!connack.session_present) forget();
    releases_due_.assign(to_release_.begin(), to_release_.end());
  }
  void sent(const PublishView& publish) {
    if (publish.qos == QoS::at_most_once) return;
    const PacketId id = publish.packet_id;
    const std::string payload = to_string(publish.payload);
    if (!sent_now_.insert(id).second) fail(fmt::format("id {} sent twice on one connection", id));
    if (!publish.dup && open_.contains(id) && open_[id] != payload)
      fail(fmt::format("id {} taken while in flight", id));
    if (!publish.dup && open_.contains(id)) fail(fmt::format("id {} sent again without DUP", id));
    if (publish.dup && (!open_.contains(id) || open_[id] != payload))
      fail(fmt::format("DUP of id {}, which holds another message", id));
    if (std::ranges::find(to_release_, id) != to_release_.end())
      fail(fmt::format("PUBLISH {} after PUBREL", id));
    open_[id] = payload;
  }
  /// [MQTT-4.6.0-2] [MQTT-4.6.0-3]
  void acknowledged(PacketId id, QoS qos) {
    if (arrived_.empty() || arrived_.front() != std::pair{id, qos})
      return fail(fmt::format("acknowledgement of id {} is not in the order of arrival", id));
    arrived_.pop_front();
  }
  /// [MQTT-4.6.0-4]
  void released(const PubrelView& pubrel) {
    if (releases_due_.empty() || releases_due_.front() != pubrel.packet_id)
      return fail(fmt::format("PUBREL {} is not in the order of PUBREC", pubrel.packet_id));
    releases_due_.pop_front();
  }

  std::string& fault_;
  std::map<PacketId, std::string> open_;
  std::set<PacketId> sent_now_;
  std::deque<std::pair<PacketId, QoS>> arrived_;
  std::deque<PacketId> to_release_;    // PUBREC came, PUBCOMP did not; outlives connections
  std::deque<PacketId> releases_due_;  // PUBRELs to be sent on this connection
};

std::size_t number_of(const PublishView& publish) {
  const std::string_view text = as_text(publish.payload);
  return parse_number<std::size_t>(text.substr(0, text.find(' '))).value_or(0);
}

/// What both ends have: a flow out, a flow in, messages that wait for their acknowledgement.
class End {
 public:
  End(Flow& out, Flow& in, std::string& fault, Random& random)
      : out_{out}, in_{in}, fault_{fault}, random_{random}, watcher_{fault} {}

  struct Waiting {
    AckToken token;
    std::size_t message;
  };

  void came(const PublishView& publish, AckToken token) {
    const std::size_t number = number_of(publish);
    if (number >= in_.messages.size()) return fail("a message that nobody published");
    Message& message = in_.messages[number];
    if (as_text(publish.payload) != message.payload || publish.topic != message.topic ||
        publish.qos != message.qos)
      return fail(fmt::format("message {} came changed", number));
    std::size_t& last = message.qos == QoS::at_most_once ? in_.last_first_qos_0 : in_.last_first;
    if (message.received == 0 && number < last)
      fail(fmt::format("message {} came after {}", number, last - 1));
    if (message.received == 0) last = number + 1;
    if (message.received > 0 && message.qos != QoS::at_least_once && !message.refused && !forgets_)
      fail(fmt::format("message {} of QoS {} came twice", number, to_number(message.qos)));
    ++message.received;
    if (token.needs_ack()) waiting_.push_back({token, number});
  }
  void was_published(PacketId id, ReasonCode reason) {
    watcher_.completed(id);
    if (!ids_.contains(id)) return fail(fmt::format("id {} was published, but never sent", id));
    Message& message = out_.messages[ids_[id]];
    message.published = true;
    if (message.received == 0 && !is_error(reason) && !forgets_)
      fail(fmt::format("message {} was lost after it was acknowledged", ids_[id]));
    ids_.erase(id);
  }

  /// The next message; `send` is publish() or deliver().
  template <class Send>
  void publish(std::size_t limit, Send send) {
    if (out_.messages.size() >= limit) return;
    const std::size_t number = out_.messages.size();
    Message message;
    message.qos = static_cast<QoS>(random_.below(3));
    message.topic = fmt::format("t/{}", random_.below(4));
    message.payload =
        fmt::format("{} {}", number, std::string(random_.one_in(40) ? 5000 : random_.below(60), 'x'));
    PublishView header;
    header.qos = message.qos;
    header.topic = message.topic;
    const Result<PacketId> id = send(header, SharedBytes::take(message.payload));
    if (!id) {
      const auto code = session_fault(id.error());
      if (code != SessionFault::quota_exhausted && code != SessionFault::not_connected)
        fail(id.error().context);
      return;
    }
    out_.messages.push_back(std::move(message));
    if (*id != 0 && !ids_.emplace(*id, number).second) fail(fmt::format("id {} handed out twice", *id));
  }

  /// Acknowledges one of those that wait, any of them; at 5.0 now and then with an error.
  template <class Session>
  void acknowledge(Session& session) {
    if (waiting_.empty()) return;
    const std::size_t at = random_.below(waiting_.size());
    const Waiting waiting = waiting_[at];
    const bool refuse = session.version() == Version::v5 && random_.one_in(30);
    const auto done =
        session.ack({}, waiting.token, refuse ? ReasonCode::quota_exceeded : ReasonCode::success);
    if (!done && session_fault(done.error()) == SessionFault::not_connected) return;  // later, then
    if (!done) fail(done.error().context);
    if (refuse) in_.messages[waiting.message].refused = true;
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  /// Of this connection: what was in flight on the last one may be more than this one takes at once.
  std::uint32_t receive_maximum() { return static_cast<std::uint32_t>(1 + random_.below(8)); }

  void fail(std::string text) {
    if (fault_.empty()) fault_ = std::move(text);
  }
  /// A server that forgets sessions hears messages again that it had, and its own may be taken for
  /// repetitions of forgotten ones when the CONNACK that said so was lost: 4.1 has no cure.
  void forgets() { forgets_ = true; }

 protected:
  Flow& out_;
  Flow& in_;
  std::string& fault_;
  Random& random_;
  Watcher watcher_;
  std::map<PacketId, std::size_t> ids_;
  std::vector<Waiting> waiting_;
  bool forgets_ = false;
};

class ClientEnd final : public End, public SessionHandler {
 public:
  ClientEnd(ChunkPool& pool, const Plan& plan, Flow& out, Flow& in, std::string& fault, Random& random)
      : End{out, in, fault, random},
        plan_{plan},
        session{pool, {.ack_mode = AckMode::manual, .alias_policy = AliasPolicy::when_room}} {
    session.set_observer(&watcher_);
  }
  void connect() {
    ConnectOptions options;
    options.version = plan_.version;
    options.client_id = "c";
    options.clean_start = false;
    options.keep_alive = 0;
    if (plan_.version == Version::v5) {
      options.properties.add(PropertyId::session_expiry_interval, 1000);
      options.properties.add(PropertyId::receive_maximum, receive_maximum());
      options.properties.add(PropertyId::topic_alias_maximum, 2);
    }
    if (const auto ok = session.connect({}, options); !ok) fail(ok.error().context);
  }
  void publish() {
    End::publish(plan_.messages,
                 [&](const PublishView& h, const SharedBytes& p) { return session.publish({}, h, p); });
  }
  void subscribe() {
    SubscriptionList list;
    list.add("t/#", {.qos = QoS::exactly_once});
    if (session.connected()) (void)session.subscribe({}, list.view());
  }
  void on_message(const PublishView& publish, AckToken token) override { came(publish, token); }
  void on_published(PacketId id, ReasonCode reason, PropertiesView) override { was_published(id, reason); }

 private:
  const Plan& plan_;

 public:
  ClientSession session;
};

class ServerEnd final : public End, public ServerHandler {
 public:
  ServerEnd(ChunkPool& pool, const Plan& plan, Flow& out, Flow& in, std::string& fault, Random& random)
      : End{out, in, fault, random}, pool_{pool}, plan_{plan} {}

  void open() {
    session = std::make_unique<ServerSession>(pool_, TimePoint{},
                                              ServerConfig{.alias_policy = AliasPolicy::when_room});
    session->set_observer(&watcher_);
  }
  void close() {
    session->on_transport_closed({});
    if (auto kept = session->take_state()) state_ = std::move(*kept);
    accept_due_ = false;
  }
  void forget() {
    has_state_ = false;
    watcher_.forget();
    ids_.clear();
    waiting_.clear();
  }
  void accept() {
    if (!accept_due_) return;
    accept_due_ = false;
    Acceptance acceptance;
    acceptance.session_present = has_state_;
    acceptance.state = std::move(state_);
    if (plan_.version == Version::v5) {
      acceptance.properties.add(PropertyId::receive_maximum, receive_maximum());
      acceptance.properties.add(PropertyId::topic_alias_maximum, 2);
    }
    has_state_ = true;
    if (const auto ok = session->accept({}, std::move(acceptance), *this); !ok) fail(ok.error().context);
  }
  void publish() {
    if (!session) return;
    End::publish(plan_.messages,
                 [&](const PublishView& h, const SharedBytes& p) { return session->deliver({}, h, p); });
  }
  void on_connect(const ConnectView&) override {
    accept_due_ = true;
    if (random_.one_in(2)) accept();
  }
  void on_subscribe(const SubscribeView& subscribe) override {
    const std::uint8_t granted = 2;
    if (const auto ok = session->suback({}, subscribe.packet_id, {&granted, 1}); !ok)
      fail(ok.error().context);
  }
  void on_unsubscribe(const UnsubscribeView&) override {}
  void on_message(const PublishView& publish, AckToken token) override { came(publish, token); }
  void on_published(PacketId id, ReasonCode reason, PropertiesView) override { was_published(id, reason); }

 private:
  ChunkPool& pool_;
  const Plan& plan_;
  SessionState state_;
  bool has_state_ = false;
  bool accept_due_ = false;

 public:
  std::unique_ptr<ServerSession> session;
};

class History {
 public:
  explicit History(std::uint64_t seed) : random_{seed} {
    plan_.version = random_.one_in(3) ? Version::v3_1_1 : Version::v5;
    plan_.server_forgets = random_.one_in(8);
    plan_.cut_one_in = 15 + random_.below(100);
    plan_.messages = 1 + random_.below(25);
    if (plan_.server_forgets) server_.forgets();
  }

  /// What went wrong, or nothing.
  std::string run() {
    open();
    for (int step = 0; step < 300 && fault_.empty(); ++step) act(random_.below(plan_.cut_one_in + 14));
    // From here on nothing is cut: everything has to arrive.
    for (int round = 0; round < 3000 && fault_.empty() && !done(); ++round) {
      for (std::size_t action = 0; action < 14; ++action) act(action);
    }
    if (fault_.empty() && !done()) fault_ = "it never came to its end";
    if (fault_.empty()) check_all_arrived();
    return fault_;
  }

 private:
  void open() {
    to_server_.clear();
    to_client_.clear();
    server_.open();
    client_.connect();
  }

  void cut() {
    ++cuts_;
    if (random_.one_in(6) && client_.session.connected()) (void)client_.session.disconnect({});
    client_.session.on_transport_closed({});
    server_.close();
    if (plan_.server_forgets && random_.one_in(3)) server_.forget();
    open();
  }

  void act(std::size_t action) {
    switch (action) {
      case 0:
      case 1: client_.publish(); break;
      case 2:
      case 3: server_.publish(); break;
      case 4:
      case 5: write(client_.session.output(), to_server_); break;
      case 6:
      case 7: write(server_.session->output(), to_client_); break;
      case 8:
      case 9: read(to_server_, [&](Bytes b) { server_.session->receive({}, b, server_); }); break;
      case 10:
      case 11: read(to_client_, [&](Bytes b) { client_.session.receive({}, b, client_); }); break;
      case 12: client_.acknowledge(client_.session); break;
      case 13: server_.acknowledge(*server_.session); break;
      case 14: random_.one_in(3) ? client_.subscribe() : cut(); break;
      default: server_.accept(); break;
    }
    if (action == 13) server_.accept();
    complain(client_.session.close_info(), "client");
    complain(server_.session->close_info(), "server");
  }

  void complain(const std::optional<CloseInfo>& info, std::string_view side) {
    const bool wanted = !info || info->reason == CloseReason::local_disconnect ||
                        info->reason == CloseReason::peer_disconnect;
    if (!wanted && fault_.empty())
      fault_ =
          fmt::format("the {} closed: {}", side, info->error ? info->error->what : "not a protocol error");
  }

  void write(OutBuffer& output, std::string& wire) {
    iovec part{};
    if (output.gather({&part, 1}) == 0) return;
    const std::size_t size = 1 + random_.below(part.iov_len);
    wire.append(static_cast<const char*>(part.iov_base), size);
    output.consume(size);
  }

  template <class Receive>
  void read(std::string& wire, Receive receive) {
    if (wire.empty()) return;
    // A copy of its own: what is kept of a view too long is seen by the address sanitizer.
    const std::string part = wire.substr(0, 1 + random_.below(wire.size()));
    wire.erase(0, part.size());
    receive(as_bytes(part));
  }

  [[nodiscard]] bool done() const {
    return client_.session.connected() && server_.session->connected() &&
           to_server_flow_.messages.size() == plan_.messages &&
           to_client_flow_.messages.size() == plan_.messages && client_.session.in_flight() == 0 &&
           server_.session->in_flight() == 0;
  }

  void check_all_arrived() {
    check_arrived(to_server_flow_, "to the server");
    // What a server forgets it may lose.
    if (!plan_.server_forgets) check_arrived(to_client_flow_, "to the client");
  }
  void check_arrived(const Flow& flow, std::string_view where) {
    for (std::size_t i = 0; i < flow.messages.size(); ++i) {
      const Message& message = flow.messages[i];
      if (message.qos == QoS::at_most_once || (message.received > 0 && message.published)) continue;
      if (fault_.empty())
        fault_ = fmt::format("message {} {} of QoS {} was received {} times, and {}", i, where,
                             to_number(message.qos), message.received,
                             message.published ? "reported as published" : "never reported");
    }
  }

  Random random_;
  Plan plan_;
  std::string fault_;
  ChunkPool pool_;
  Flow to_server_flow_, to_client_flow_;
  std::string to_server_, to_client_;
  ClientEnd client_{pool_, plan_, to_server_flow_, to_client_flow_, fault_, random_};
  ServerEnd server_{pool_, plan_, to_client_flow_, to_server_flow_, fault_, random_};
  unsigned cuts_ = 0;

 public:
  [[nodiscard]] unsigned cuts() const { return cuts_; }
};

}  // namespace
}  // namespace mqtt::test

int main(int argc, char** argv) {
  using namespace mqtt;
  const auto count = argc > 1 ? parse_number<std::uint64_t>(argv[1]) : 1000;
  const auto first = argc > 2 ? parse_number<std::uint64_t>(argv[2]) : 1;
  if (!count || !first) {
    fmt::print(stderr, "usage: histories COUNT FIRST_SEED\n");
    return 2;
  }
  std::uint64_t cuts = 0;
  for (std::uint64_t seed = *first; seed < *first + *count; ++seed) {
    test::History history{seed};
    const std::string fault = history.run();
    cuts += history.cuts();
    if (fault.empty()) continue;
    fmt::print(stderr, "seed {}: {}\n(again: histories 1 {})\n", seed, fault, seed);
    return 1;
  }
  fmt::print("{} histories, {} connections cut\n", *count, cuts);
  return cuts > 0 || *count < 100 ? 0 : 1;
}
