#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <mqtt/session/client_session.hpp>
#include <mqtt/session/server_session.hpp>

#include "history_checks.hpp"

namespace mqtt::test {

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

struct Plan {
  Version version = Version::v5;
  bool server_forgets = false;
  std::size_t cut_one_in = 50;
  std::size_t messages = 20;
};

/// What both ends have: a flow out, a flow in, messages that wait for their acknowledgement.
class End {
 public:
  End(Flow& out, Flow& in, Fault& fault, Random& random)
      : out_{out}, in_{in}, fault_{fault}, random_{random}, watcher_{fault} {}

  struct Waiting {
    AckToken token;
    std::size_t message;
  };

  void came(const PublishView& publish, AckToken token) {
    const auto number = check_delivery(in_, publish, forgets_, fault_);
    if (number && token.needs_ack()) waiting_.push_back({token, *number});
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

  void fail(std::string text) { fault_.found(std::move(text)); }
  /// A server that forgets sessions hears messages again that it had, and its own may be taken for
  /// repetitions of forgotten ones when the CONNACK that said so was lost: 4.1 has no cure.
  void forgets() { forgets_ = true; }

 protected:
  Flow& out_;
  Flow& in_;
  Fault& fault_;
  Random& random_;
  Watcher watcher_;
  std::map<PacketId, std::size_t> ids_;
  std::vector<Waiting> waiting_;
  bool forgets_ = false;
};

class ClientEnd final : public End, public SessionHandler {
 public:
  ClientEnd(ChunkPool& pool, const Plan& plan, Flow& out, Flow& in, Fault& fault, Random& random)
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
  ServerEnd(ChunkPool& pool, const Plan& plan, Flow& out, Flow& in, Fault& fault, Random& random)
      : End{out, in, fault, random}, pool_{pool}, plan_{plan} {}

  void open() {
    session = std::make_unique<ServerSession>(pool_, TimePoint{}, config_);
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
  const ServerConfig config_{.alias_policy = AliasPolicy::when_room};
  SessionState state_;
  bool has_state_ = false;
  bool accept_due_ = false;

 public:
  std::unique_ptr<ServerSession> session;
};

}  // namespace mqtt::test
