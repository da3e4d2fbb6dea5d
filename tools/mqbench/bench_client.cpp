#include "mqbench/bench_client.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace mq::bench {
namespace {

/// Queued within one turn: what one gathered write takes.
constexpr std::size_t batch_bytes = 64 * 1024;

/// A session that has done its work is not to stay at the broker.
mqtt::PropertiesView ending_session() {
  static const mqtt::Properties ends = [] {
    mqtt::Properties properties;
    properties.add(mqtt::PropertyId::session_expiry_interval, 0);
    return properties;
  }();
  return ends.view();
}

}  // namespace

BenchClient::BenchClient(Surroundings& around, ClientOwner& owner, ClientKinds::Options options,
                         std::uint32_t number)
    : around_{around}, owner_{owner}, client_{around.loop, std::move(options), *this}, number_{number} {}

void BenchClient::connect() {
  present_ = true;
  connecting_.make().began = around_.loop.refresh_now();
  client_.start();
}

void BenchClient::on_opening(mqtt::net::StreamTarget& target) {
  if (const auto source = around_.plan.source_of(number_); !source.empty())
    target.connect.local_address = source;
  if (away_) add_other_nodes(target);
  take_mechanism();
  Connecting& connecting = connecting_.make();
  connecting.step_began = around_.loop.now();
  if (connecting.began == mqtt::TimePoint{}) connecting.began = connecting.step_began;
}

/// Clients share their options, but an exchange has two ends alone.
void BenchClient::take_mechanism() {
  const ClientKinds& kinds = around_.kinds[around_.plan.broker_of(number_)];
  if (!kinds.publisher->mechanism) return;
  auto own = kinds.publisher->mechanism->for_another_client();
  if (!own) return;
  client_.session().set_mechanism(own.get());
  connecting_.make().mechanism = std::move(own);
}

void BenchClient::arrived() {
  if (connecting_->mechanism) client_.session().set_mechanism(nullptr);
  connecting_.reset();
}

/// Its own node may have died: then the others of its kind take it, as far as the way to them is the same.
/// The clients of one node take them in turn, and so do the attempts of each.
void BenchClient::add_other_nodes(mqtt::net::StreamTarget& target) const {
  const std::vector<std::uint32_t>& nodes = around_.plan.brokers_for(number_);
  const std::uint32_t place = around_.plan.place_of(number_);
  const auto count = static_cast<std::uint32_t>(nodes.size());
  for (std::uint32_t n = 0; n + 1 < count; ++n) {
    const std::uint32_t other = nodes[(place + 1 + (place / count + n) % (count - 1)) % count];
    const mqtt::net::StreamTarget& there = around_.kinds[other].publisher->target;
    const bool same_way = !target.tls == !there.tls && target.ws.has_value() == there.ws.has_value() &&
                          (!target.ws || target.ws->path == there.ws->path) && !target.hosts.empty();
    if (same_way) target.hosts.insert(target.hosts.end(), there.hosts.begin(), there.hosts.end());
  }
  if (!target.hosts.empty())
    std::ranges::rotate(target.hosts, target.hosts.begin() + static_cast<std::ptrdiff_t>(
                                                                 connecting_->in_vain % target.hosts.size()));
}

void BenchClient::on_connecting(mqtt::ConnectOptions& connect) {
  connect.client_id = around_.plan.client_id_of(number_);
}

void BenchClient::on_step(mqtt::net::OpenStep step) {
  Measurements& m = around_.measurements;
  const mqtt::Duration took = next_step();
  switch (step) {
    case mqtt::net::OpenStep::connected: return m.tcp.record(took.count());
    case mqtt::net::OpenStep::tls: return m.tls.record(took.count());
    case mqtt::net::OpenStep::websocket: return m.websocket.record(took.count());
  }
}

mqtt::Duration BenchClient::next_step() {
  const mqtt::TimePoint now = around_.loop.refresh_now();
  return now - std::exchange(connecting_.make().step_began, now);
}

void BenchClient::ready() {
  arrived();
  if (std::exchange(away_, false)) return owner_.on_back();
  owner_.on_ready();
}

void BenchClient::go_away(const mqtt::Ending& ending) {
  away_ = true;
  owner_.on_away(ending);
}

/// Each attempt is measured alone.
void BenchClient::on_lost(const mqtt::Ending& ending, mqtt::Duration) {
  const bool in_vain = away_ || connecting_;
  if (in_vain)
    ++around_.measurements.refusals[why(ending)];
  else
    go_away(ending);
  const std::uint32_t before = connecting_->in_vain;
  arrived();
  connecting_.make().in_vain = before + in_vain;
  owner_.on_still_away(ending, number_);
}

void BenchClient::leave() {
  if (!present_) return;
  leaving_ = true;
  client_.disconnect(mqtt::ReasonCode::normal_disconnection, farewell());
}

mqtt::PropertiesView BenchClient::farewell() const {
  return around_.keeps_sessions ? ending_session() : mqtt::PropertiesView{};
}

void BenchClient::on_connack(const mqtt::ConnackView& connack) {
  if (mqtt::is_error(connack.reason)) return;  // on_ended() follows, or another version is tried
  around_.measurements.connack.record(next_step().count());
  around_.measurements.connect.record((around_.loop.now() - connecting_->began).count());
  on_accepted();
}

std::string why(const mqtt::Ending& ending) {
  using Kind = mqtt::Ending::Kind;
  if (ending.kind == Kind::refused || ending.kind == Kind::peer_disconnect)
    return std::string{reason_name(ending.close.code, ending.kind == Kind::refused
                                                          ? mqtt::PacketType::connack
                                                          : mqtt::PacketType::disconnect)};
  if (ending.kind == Kind::connack_timeout) return "no CONNACK in time";
  if (ending.error.domain == mqtt::ErrorDomain::system && ending.error.code != 0)
    return std::generic_category().message(ending.error.code);
  return ending.error.context.empty() ? "connection lost" : ending.error.context;
}

void BenchClient::on_ended(const mqtt::Ending& ending) {
  present_ = false;
  gone_ = true;
  if (!leaving_ && !away_) go_away(ending);
  owner_.on_gone(ending, number_, leaving_);
}

BenchPublisher::BenchPublisher(Surroundings& around, ClientOwner& owner, std::uint32_t number)
    : BenchClient{around, owner, around.kinds[around.plan.brokers.of_publisher(number)].publisher,
                  around.plan.scenario.subscribers + number},
      schedule_{around.plan.load, number} {}

bool BenchPublisher::done() const {
  const Scenario& scenario = around_.plan.scenario;
  if (schedule_.round() >= scenario.limit_of(number())) return true;
  return scenario.open_loop() && scenario.count == 0 && schedule_.next() >= scenario.length();
}

/// What an earlier turn has left means that the kernel does not take more: a message that is queued behind it
/// would not be sent when its stamp says so.
bool BenchPublisher::has_room() {
  if (!client_.connected()) return false;
  if (batch_ != around_.batch && client_.unsent() > 0) return false;
  batch_ = around_.batch;
  if (client_.unsent() >= batch_bytes) return false;
  return around_.plan.scenario.publish_qos == mqtt::QoS::at_most_once || client_.session().send_quota() > 0;
}

bool BenchPublisher::find_room() {
  waiting_ = !has_room();
  return !waiting_;
}

void BenchPublisher::be_ready() {
  ready();
  look_for_room();
}

void BenchPublisher::look_for_room() {
  if (!waiting_ || client_.unsent() > 0 || !has_room()) return;
  waiting_ = false;
  owner_.on_room(number());
}

void BenchPublisher::on_output_drained() { look_for_room(); }

void BenchPublisher::publish(mqtt::TimePoint due) {
  const Plan& plan = around_.plan;
  const std::uint32_t stream = plan.scenario.stream_of(number(), sent_);
  const std::uint64_t sequence = plan.scenario.sequence_of(number(), sent_);
  if (stream != std::exchange(stream_, stream) || topic_->empty()) topic_.make() = plan.topic_of(stream);
  const mqtt::MutableBytes payload = around_.payloads.make(stream, sequence, sent_);
  const mqtt::TimePoint now = plan.scenario.open_loop() ? around_.loop.refresh_now() : due;
  if (!plan.scenario.unstamped())
    write_stamp({.run = plan.run,
                 .stream = stream,
                 .sequence = sequence,
                 .due = due + around_.clock_offset,
                 .sent = now + around_.clock_offset},
                payload, plan.covered());
  const mqtt::PublishView header{.qos = plan.scenario.publish_qos,
                                 .retain = plan.scenario.stored == Stored::retained,
                                 .topic = *topic_,
                                 .properties = properties(sequence)};
  const auto id = client_.session().publish(now, header, {payload, nullptr});
  if (!id) {
    advance();
    ++around_.measurements.rejected;
    return owner_.on_cannot_publish(*topic_, id.error());
  }
  if (*id != 0) in_flight_.make().put(*id, InFlight{due, now, stream});
  note_sent(due, now, plan.scenario.receivers_of(stream));
  client_.flush();
}

void BenchPublisher::note_sent(mqtt::TimePoint due, mqtt::TimePoint now, std::uint64_t expected) {
  Measurements& m = around_.measurements;
  advance();
  ++sent_;
  ++m.sent;
  expected_ += expected;
  m.due_per_second.note(due - around_.start, expected);
  const Plan& plan = around_.plan;
  if (plan.scenario.open_loop() && plan.measures(due - around_.start)) m.lag.record((now - due).count());
  m.first_due = mqtt::earlier(m.first_due, due);
  m.last_sent = now;
  m.sent_per_second.note(second_of(due, now) - around_.start);
}

mqtt::PropertiesView BenchPublisher::properties(std::uint64_t) {
  return around_.plan.publish_properties.view();
}

void BenchPublisher::clear_retained() {
  if (!client_.connected()) return;
  const Scenario& scenario = around_.plan.scenario;
  for (std::uint32_t stream = number(); stream < scenario.streams(); stream += scenario.publishers) {
    const std::string topic = around_.plan.topic_of(stream);
    static_cast<void>(client_.session().publish(around_.loop.now(), {.retain = true, .topic = topic}, {}));
  }
  client_.flush();
}

/// A message counts for the second in which it was due, unless it was later than a schedule may be: one that
/// was due just before a full second and left just after it is no miss, a stall over the end of a second is.
mqtt::TimePoint BenchPublisher::second_of(mqtt::TimePoint due, mqtt::TimePoint sent) const {
  return sent - due <= lag_allowed(around_.plan.load) ? due : sent;
}

void BenchPublisher::on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView) {
  Measurements& m = around_.measurements;
  const bool refused = mqtt::is_error(reason);
  ++(refused ? m.rejected : m.acked);
  if (const InFlight* message = in_flight_->find(id)) {
    if (refused) {
      ++refused_.make()[message->stream];
      forget_expected(message->due, around_.plan.scenario.receivers_of(message->stream));
    } else if (around_.plan.measures(message->due - around_.start)) {
      m.ack.record((around_.loop.refresh_now() - message->sent).count());
    }
    in_flight_.make().erase(id);
  }
  look_for_room();
}

void BenchPublisher::forget_expected(mqtt::TimePoint due, std::uint64_t deliveries) {
  expected_ -= deliveries;
  around_.measurements.due_per_second.take_back(due - around_.start, deliveries);
}

std::uint64_t BenchPublisher::deliverable_of(std::uint32_t stream) const {
  const auto refused = refused_->find(stream);
  return around_.plan.scenario.sent_of(stream, sent_) - (refused == refused_->end() ? 0 : refused->second);
}

std::uint64_t BenchPublisher::skip_rest() {
  std::uint64_t skipped = 0;
  for (; !done(); ++skipped) advance();
  return skipped;
}

BenchSubscriber::BenchSubscriber(Surroundings& around, ClientOwner& owner, std::uint32_t number)
    : BenchSubscriber{around, owner, around.kinds[around.plan.brokers.of_subscriber(number)].subscriber,
                      number} {}

BenchSubscriber::BenchSubscriber(Surroundings& around, ClientOwner& owner, ClientKinds::Options options,
                                 std::uint32_t number)
    : BenchClient{around, owner, std::move(options), number},
      inbox_{around, number < around.plan.scenario.slow ? Reading::slowly : Reading::promptly} {}

/// A session that was kept has its subscription, and its messages come at once. One that was lost before its
/// SUBACK came may have none.
void BenchSubscriber::on_accepted() {
  back_ = around_.loop.now();
  if (client_.session().limits().session_present && (away() || kept_ > 0)) return ready();
  const std::vector<std::string> filters = around_.plan.filters_of(number());
  mqtt::SubscriptionList list;
  for (const std::string& filter : filters) list.add(filter, {.qos = around_.plan.scenario.subscribe_qos});
  if (!client_.session().subscribe(back_, list.view(), around_.plan.subscribe_properties.view()))
    owner_.on_filter_refused(filters.front(), mqtt::ReasonCode::unspecified_error);
}

void BenchSubscriber::on_subscribed(mqtt::PacketId, const mqtt::SubackView& suback) {
  around_.measurements.subscribe.record(next_step().count());
  back_ = around_.loop.now();
  for (std::size_t n = 0; n < suback.reasons.size(); ++n) {
    const auto code = static_cast<mqtt::ReasonCode>(suback.reasons[n]);
    if (mqtt::is_error(code)) return owner_.on_filter_refused(around_.plan.filters_of(number())[n], code);
  }
  // Away it is ready: the broker is to keep what comes.
  if (around_.plan.scenario.stored == Stored::queued && kept_ == 0) return leave();
  ready();
}

mqtt::PropertiesView BenchSubscriber::farewell() const {
  const bool returned = around_.plan.scenario.stored == Stored::queued && kept_ > 0;
  return returned ? ending_session() : BenchClient::farewell();
}

void BenchSubscriber::on_message(const mqtt::PublishView& message, mqtt::AckToken) {
  const mqtt::TimePoint now = around_.loop.refresh_now();
  const std::uint64_t before = inbox_.distinct();
  inbox_.note(message, now);
  if (kept_ > 0 && before < kept_ && inbox_.distinct() == kept_)
    around_.measurements.catch_up.record((now - back_).count());
}

/// What a member of a shared subscription gets is not known, and an answer is judged by who asked.
std::uint64_t BenchSubscriber::lost_of(const std::vector<std::uint64_t>& sent) const {
  const Scenario& scenario = around_.plan.scenario;
  if (scenario.wiring == Wiring::shared || scenario.operation == Operation::request) return 0;
  return inbox_.lost_of(sent, [&](std::uint32_t stream) { return scenario.receives(number(), stream); });
}

}  // namespace mq::bench
