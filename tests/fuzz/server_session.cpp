// A ServerSession under bytes from a client that says anything, cut anywhere, between calls of its
// broker and steps of time. The first byte chooses what the broker does; then each step is a byte that
// says what happens, and what it needs.
#include <mqtt/session/server_session.hpp>

#include <memory>

#include "session_input.hpp"

namespace mqtt {
namespace {

using fuzz::require;

class Broker final : public ServerHandler {
 public:
  explicit Broker(std::uint8_t setup)
      : answers_at_once_{(setup & 1) != 0}, acks_at_once_{(setup & 2) != 0}, limits_{(setup & 4) != 0} {
    open({});
  }

  void open(TimePoint now) {
    session = std::make_unique<ServerSession>(pool_, now, config_);
    named_ = true;
  }
  void close(TimePoint now) {
    session->on_transport_closed(now);
    require(session->output().empty() && !session->next_deadline());
    if (auto kept = session->take_state()) {
      state_ = std::move(*kept);
      has_state_ = true;
    }
  }
  void accept(TimePoint now) {
    Acceptance acceptance;
    acceptance.session_present = has_state_ && !clean_;
    if (!named_) acceptance.properties.add(PropertyId::assigned_client_identifier, "x");
    if (limits_) {
      acceptance.properties.add(PropertyId::receive_maximum, 2);
      acceptance.properties.add(PropertyId::topic_alias_maximum, 2);
      acceptance.properties.add(PropertyId::maximum_qos, 1);
      acceptance.properties.add(PropertyId::wildcard_subscription_available, 0);
    }
    acceptance.state = std::move(state_);
    if (!session->accept(now, std::move(acceptance), *this)) state_ = std::move(acceptance.state);
  }
  void ack(TimePoint now, std::uint8_t which) {
    if (!tokens_.empty()) (void)session->ack(now, tokens_[which % tokens_.size()]);
  }

  void on_connect(const ConnectView& connect) override {
    named_ = !connect.client_id.empty();
    clean_ = connect.clean_start;
    if (answers_at_once_) accept({});
  }
  void on_message(const PublishView& message, AckToken token) override {
    require(!message.topic.empty());
    require(token.needs_ack() == (message.qos != QoS::at_most_once));
    if (acks_at_once_) return void(session->ack({}, token));
    if (token.needs_ack()) tokens_.push_back(token);
    if (tokens_.size() > 100) tokens_.erase(tokens_.begin());
  }
  void on_published(PacketId id, ReasonCode, PropertiesView) override { require(id != 0); }
  void on_subscribe(const SubscribeView& subscribe) override {
    const std::vector<std::uint8_t> granted(subscribe.subscriptions.count(), 1);
    if (acks_at_once_) (void)session->suback({}, subscribe.packet_id, granted);
  }
  void on_unsubscribe(const UnsubscribeView& unsubscribe) override {
    const std::vector<std::uint8_t> done(unsubscribe.filters.count(), 0);
    (void)session->unsuback({}, unsubscribe.packet_id, done);
  }
  void on_auth(const AuthView&) override { (void)session->auth({}, ReasonCode::continue_authentication, {}); }

 private:
  ChunkPool pool_;
  SessionState state_;
  std::vector<AckToken> tokens_;
  const ServerConfig config_{.alias_policy = AliasPolicy::when_room};
  bool answers_at_once_, acks_at_once_, limits_;
  bool has_state_ = false, named_ = true, clean_ = true;

 public:
  std::unique_ptr<ServerSession> session;
};

void check(ServerSession& session) {
  if (session.wants_close()) require(!session.connected() && !session.next_deadline());
  if (session.connected()) require(session.send_quota() <= session.limits().receive_maximum);
}

void step(Broker& broker, fuzz::Input& input, TimePoint& now) {
  ServerSession& session = *broker.session;
  const std::uint8_t action = input.byte();
  switch (action >> 4) {
    case 0: now += std::chrono::seconds{action}; return session.on_time(now, broker);
    case 1: (void)session.deliver(now, {.qos = static_cast<QoS>(action % 3), .topic = "a/b"}, {}); return;
    case 2: return broker.ack(now, input.byte());
    case 3: return broker.accept(now);
    case 4: (void)session.refuse(now, ReasonCode::not_authorized); return;
    case 5: return fuzz::write_some(session.output(), input.byte() * std::size_t{16});
    case 6:
      (void)session.auth(now, action & 1 ? ReasonCode::success : ReasonCode::continue_authentication, {});
      return;
    case 7: broker.close(now); return broker.open(now);
    case 8: (void)session.disconnect(now, ReasonCode::server_shutting_down); return;
    default: return session.receive(now, input.take(1 + input.byte()), broker);
  }
}

}  // namespace
}  // namespace mqtt

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mqtt::fuzz::Input input{{data, size}};
  mqtt::Broker broker{input.byte()};
  mqtt::TimePoint now{};
  while (!input.empty()) {
    mqtt::step(broker, input, now);
    mqtt::check(*broker.session);
  }
  return 0;
}
