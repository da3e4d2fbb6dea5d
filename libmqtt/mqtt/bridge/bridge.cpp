#include <mqtt/bridge/bridge.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <mqtt/bridge/local_session.hpp>

namespace mqtt::bridge {
namespace {

/// So much may wait on the way to either side before the other one is no longer read from.
constexpr std::size_t unsent_max = 1024 * 1024;
/// So much of what the remote server sends may wait for the connection to this broker.
constexpr std::size_t held_max = 32 * 1024 * 1024;
/// What this broker does not take now it may take then.
constexpr std::chrono::seconds pause_after_fault{1};

/// A level of a topic, or several.
std::string status_name_of(std::string name) {
  std::ranges::replace_if(name, [](char c) { return c == '+' || c == '#'; }, '_');
  return name;
}

/// 5.0 with No Local, or what comes nearest to it.
ClientOptions remote_options(ClientOptions options, const broker::Limits& limits) {
  ConnectOptions& connect = options.connect;
  connect.clean_start = false;
  if (connect.version == Version::v5) {
    connect.properties.set(PropertyId::session_expiry_interval, session_never_expires);
    connect.properties.set(PropertyId::receive_maximum, limits.receive_maximum);
    connect.properties.set(PropertyId::maximum_packet_size, limits.packet_size);
  }
  options.session.ack_mode = AckMode::relayed;
  options.reconnect.enabled = true;
  options.reconnect.whatever_comes = true;  // whatever is wrong there may be mended there
  return options;
}

}  // namespace

struct Bridge::State {
  /// What the remote server says.
  struct RemoteSide final : ClientHandler {
    explicit RemoteSide(State& owner) : bridge{owner} {}
    void on_connecting(ConnectOptions& options) override {
      options.bridge = options.version == Version::v3_1_1 && bridge.says_bridge;
    }
    void on_connack(const ConnackView& connack) override {
      if (!is_error(connack.reason)) bridge.on_remote_accepted();
    }
    void on_subscribed(PacketId, const SubackView& suback) override { bridge.on_remote_subscribed(suback); }
    void on_message(const PublishView& message, AckToken) override { bridge.on_remote_message(message); }
    void on_flow(PacketType type, const AckView& ack) override {
      bridge.relay.flow_from_remote(bridge.now(), type, ack);
      bridge.after_remote();
    }
    void on_published(PacketId, ReasonCode, PropertiesView) override {}
    void on_output_drained() override { bridge.follow_reading(); }
    void on_lost(const Ending& ending, Duration delay) override { bridge.on_remote_lost(ending, delay); }
    void on_ended(const Ending&) override {}  // only after stop()
    State& bridge;
  };

  /// What this broker says.
  struct LocalSide final : ClientHandler {
    explicit LocalSide(State& owner) : bridge{owner} {}
    void on_connack(const ConnackView& connack) override {
      if (!is_error(connack.reason)) bridge.on_local_accepted();
    }
    void on_subscribed(PacketId, const SubackView& suback) override { bridge.on_local_subscribed(suback); }
    void on_message(const PublishView& message, AckToken) override {
      bridge.relay.from_local(bridge.now(), message);
      bridge.after_local();
    }
    void on_flow(PacketType type, const AckView& ack) override {
      bridge.relay.flow_from_local(bridge.now(), type, ack);
      bridge.after_local();
    }
    void on_published(PacketId, ReasonCode, PropertiesView) override {}
    void on_output_drained() override { bridge.follow_reading(); }
    void on_ended(const Ending& ending) override { bridge.on_local_ended(ending); }
    State& bridge;
  };

  /// Listens in to what is to be done about it.
  struct Listener final : RelayEvents {
    explicit Listener(State& owner) : bridge{owner} {}
    void on_dropped(Way way, std::string_view topic, const Error& why) override {
      bridge.events.on_dropped(way, topic, why);
    }
    void on_refused(Way way, ReasonCode reason) override { bridge.events.on_refused(way, reason); }
    void on_no_room(Way way) override {
      if (!bridge.begins_anew) bridge.events.on_no_room(way);
      bridge.begin_anew();
    }
    State& bridge;
  };

  State(net::Loop& l, server::Server& s, BridgeConfig c, BridgeEvents& e, SipKey secret)
      : loop{l},
        server{s},
        rules{std::move(c.rules)},
        events{e},
        local_session{l, s, c.name, rules},
        relay{rules, listener, secret},
        remote{l, remote_options(std::move(c.remote), s.broker().config().limits), remote_side},
        turn_end{l, [this] { at_turn_end(); }},
        status_timer{l, [this] { tell_status(); }},
        status_name{status_name_of(c.name)} {}

  [[nodiscard]] TimePoint now() { return loop.now(); }

  void on_remote_accepted();
  void on_remote_subscribed(const SubackView& suback);
  void on_remote_message(const PublishView& message);
  void on_remote_lost(const Ending& ending, Duration delay);
  void open_local();
  void on_local_accepted();
  void on_local_subscribed(const SubackView& suback);
  void on_ready();
  void on_local_ended(const Ending& ending);
  void tell_refused(const SubackView& suback, Way way);
  void after_remote();
  void after_local();
  void follow_reading();
  void begin_anew();
  void at_turn_end();
  void set_ready(bool now_ready);
  void tell_state();
  void tell_status();

  net::Loop& loop;
  server::Server& server;
  const TopicRules rules;
  BridgeEvents& events;
  LocalSession local_session;
  Listener listener{*this};
  Relay relay;
  RemoteSide remote_side{*this};
  LocalSide local_side{*this};
  Client remote;
  std::unique_ptr<Client> local;  // while the remote server has accepted us
  net::TurnEnd turn_end;
  net::Timer status_timer;
  const std::string status_name;
  bool says_bridge = true;   // before 5.0
  bool ready = false;        // messages flow
  bool begins_anew = false;  // at the end of this turn
  bool stopping = false;
};

void Bridge::State::on_remote_accepted() {
  const ClientSession& session = remote.session();
  local_session.keep();
  if (!session.limits().session_present) local_session.forget_received();
  relay.begin_remote(remote.session(), session.version() != Version::v5 && !says_bridge);
  SubscriptionList list;
  bool any = false;
  const bool is_v5 = session.version() == Version::v5;
  for (const TopicRule& rule : rules.all()) {
    if (!rule.comes_in()) continue;
    const QoS qos = std::min(rule.qos, server.broker().config().limits.maximum_qos);
    list.add(rule.remote_filter(), is_v5 ? SubscriptionOptions{qos, true, true, RetainHandling::send_if_new}
                                         : SubscriptionOptions{.qos = qos});
    any = true;
  }
  if (!any) return open_local();
  if (!remote.session().subscribe(now(), list.view())) begin_anew();
}

void Bridge::State::on_remote_subscribed(const SubackView& suback) {
  tell_refused(suback, Way::in);
  open_local();
}

/// The codes are in the order of the rules that go that way.
void Bridge::State::tell_refused(const SubackView& suback, Way way) {
  std::size_t at = 0;
  for (const TopicRule& rule : rules.all()) {
    if (way == Way::in ? !rule.comes_in() : !rule.goes_out()) continue;
    const auto code = static_cast<ReasonCode>(suback.reasons[at++]);
    if (is_error(code))
      events.on_subscription_refused(way == Way::in ? rule.remote_filter() : rule.local_filter(), code);
  }
}

/// Only now is it known how much the remote server takes, and that is how much this one is to send.
void Bridge::State::open_local() {
  const ClientSession& session = remote.session();
  const std::size_t window = std::min<std::size_t>(session.send_quota(), session.limits().receive_maximum);
  local = std::make_unique<Client>(
      loop, local_session.options(static_cast<std::uint16_t>(std::max<std::size_t>(window, 1))), local_side);
  remote.pause_reading();
  local->start();
}

/// A server that has no session of ours has none of our retained messages either.
void Bridge::State::on_local_accepted() {
  const bool known = remote.session().limits().session_present;
  SubscriptionList list;
  if (!local_session.add_subscriptions(list, known ? RetainHandling::do_not_send : RetainHandling::send))
    return on_ready();
  if (!local->session().subscribe(now(), list.view())) begin_anew();
}

void Bridge::State::on_local_subscribed(const SubackView& suback) {
  tell_refused(suback, Way::out);
  on_ready();
}

void Bridge::State::on_ready() {
  if (!remote.connected()) return;  // on_lost() follows
  set_ready(true);
  relay.begin_local(now(), local->session());
  events.on_bridged(remote.session().version(), remote.peer(), remote.session().limits().session_present);
  after_local();
}

void Bridge::State::on_remote_message(const PublishView& message) {
  relay.from_remote(now(), message);
  after_remote();
  if (relay.held_bytes() > held_max) begin_anew();
}

/// What one side said has made something to be said to either.
void Bridge::State::after_remote() {
  if (local) local->flush();
  follow_reading();
}

void Bridge::State::after_local() {
  remote.flush();
  local->flush();
  follow_reading();
}

/// A side that takes no more stops the other one: what comes then waits where it comes from.
void Bridge::State::follow_reading() {
  if (!ready) return;
  if (remote.unsent() > unsent_max)
    local->pause_reading();
  else
    local->resume_reading();
  if (relay.holds() || local->unsent() > unsent_max)
    remote.pause_reading();
  else
    remote.resume_reading();
}

void Bridge::State::on_remote_lost(const Ending& ending, Duration delay) {
  set_ready(false);
  relay.end();
  local.reset();
  remote.resume_reading();
  local_session.refresh();
  // Servers that do not know the mark of a bridge take it for a version that they do not know. Not all say
  // so: some just hang up, or answer as those of 5.0 do.
  const bool unknown = ending.kind == Ending::Kind::refused
                           ? ending.close.code == ReasonCode::unsupported_protocol_version
                           : !ending.was_connected && (ending.kind == Ending::Kind::connection_lost ||
                                                       ending.kind == Ending::Kind::protocol_error);
  if (unknown && remote.session().version() == Version::v3_1_1) says_bridge = !says_bridge;
  events.on_bridge_down(ending, delay);
}

void Bridge::State::on_local_ended(const Ending& ending) {
  if (stopping) return;
  events.on_inner_connection_lost(ending);
  begin_anew();
}

/// Both sessions send again what is in flight; what one of them does not take now it may take later.
void Bridge::State::begin_anew() {
  begins_anew = true;
  turn_end.request();
}

void Bridge::State::at_turn_end() {
  if (!std::exchange(begins_anew, false) || stopping) return;
  remote.break_connection(Breakage::reset, pause_after_fault);  // on_remote_lost(), if it is connected
}

void Bridge::State::set_ready(bool now_ready) {
  ready = now_ready;
  tell_state();
}

/// As mosquitto does, at once.
void Bridge::State::tell_state() {
  server.broker().tell(now(), fmt::format("connection/{}/state", status_name), ready ? "1" : "0");
}

/// With the other numbers of $SYS, at their pace.
void Bridge::State::tell_status() {
  const Duration interval = server.broker().config().status_interval;
  if (interval == Duration{0}) return;
  status_timer.set(now() + interval);
  tell_state();
  for (const auto& [what, count] : numbers_of(relay.counters()))
    server.broker().tell(now(), fmt::format("connection/{}/messages/{}", status_name, what),
                         std::to_string(count));
}

Bridge::Bridge(net::Loop& loop, server::Server& server, BridgeConfig config, BridgeEvents& events,
               SipKey secret)
    : state_{std::make_unique<State>(loop, server, std::move(config), events, secret)} {}

Bridge::~Bridge() = default;

void Bridge::start() {
  state_->local_session.keep();
  state_->tell_status();
  state_->remote.start();
}

void Bridge::stop() {
  state_->stopping = true;
  state_->status_timer.cancel();
  state_->set_ready(false);
  state_->relay.end();
  state_->local.reset();
  state_->remote.disconnect();
}

BridgeStatus Bridge::status() const { return {state_->ready, state_->relay.counters()}; }

}  // namespace mqtt::bridge
