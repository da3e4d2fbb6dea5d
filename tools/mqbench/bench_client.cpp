#include "mqbench/bench_client.hpp"

#include <algorithm>
#include <utility>

namespace mq::bench {
namespace {

/// Queued within one turn: what one gathered write takes.
constexpr std::size_t batch_bytes = 64 * 1024;

}  // namespace

BenchClient::BenchClient(Surroundings& around, ClientOwner& owner, std::uint32_t number)
    : around_{around}, owner_{owner}, client_{around.loop, around.options, *this}, number_{number} {}

void BenchClient::connect() {
  connecting_.make().began = around_.loop.refresh_now();
  client_.start();
}

void BenchClient::on_opening(mqtt::net::StreamTarget& target) {
  if (const auto source = around_.plan.source_of(number_); !source.empty())
    target.connect.local_address = source;
  connecting_.make().step_began = around_.loop.now();
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
  connecting_.reset();
  owner_.on_ready();
}

void BenchClient::leave() {
  leaving_ = true;
  client_.disconnect();
}

void BenchClient::on_connack(const mqtt::ConnackView& connack) {
  if (mqtt::is_error(connack.reason)) return;  // on_ended() follows, or another version is tried
  around_.measurements.connack.record(next_step().count());
  around_.measurements.connect.record((around_.loop.now() - connecting_->began).count());
  on_accepted();
}

void BenchClient::on_ended(const mqtt::Ending& ending) {
  owner_.on_gone(ending, around_.plan.client_id_of(number_), leaving_);
}

BenchPublisher::BenchPublisher(Surroundings& around, ClientOwner& owner, std::uint32_t number)
    : BenchClient{around, owner, around.plan.scenario.subscribers + number},
      schedule_{around.plan.load, number} {}

bool BenchPublisher::done() const {
  const Scenario& scenario = around_.plan.scenario;
  if (tried_ >= scenario.limit_of(number())) return true;
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

void BenchPublisher::look_for_room() {
  if (!waiting_ || client_.unsent() > 0 || !has_room()) return;
  waiting_ = false;
  owner_.on_room(number());
}

void BenchPublisher::on_output_drained() { look_for_room(); }

void BenchPublisher::publish(mqtt::TimePoint due) {
  const Plan& plan = around_.plan;
  Measurements& m = around_.measurements;
  const std::uint32_t stream = plan.scenario.stream_of(number(), sent_);
  const std::uint64_t sequence = plan.scenario.sequence_of(number(), sent_);
  if (stream != std::exchange(stream_, stream) || topic_.empty()) topic_ = plan.topic_of(stream);
  const mqtt::MutableBytes payload = around_.payloads.make(stream, sequence, sent_);
  const bool measured = plan.measures(due - around_.start);
  const mqtt::TimePoint now = around_.loop.refresh_now();
  if (!plan.scenario.unstamped())
    write_stamp({.run = plan.run,
                 .stream = stream,
                 .sequence = sequence,
                 .due = due + around_.clock_offset,
                 .sent = now + around_.clock_offset},
                payload, plan.covered());
  const mqtt::PublishView header{
      .qos = plan.scenario.publish_qos, .topic = topic_, .properties = plan.publish_properties.view()};
  const auto id = client_.session().publish(now, header, {payload, nullptr});
  schedule_.advance();
  ++tried_;
  if (!id) {
    ++m.rejected;
    return owner_.on_cannot_publish(topic_, id.error());
  }
  ++sent_;
  ++m.sent;
  expected_ += plan.scenario.receivers_of(stream);
  if (*id != 0) in_flight_.put(*id, InFlight{now, stream, measured});
  if (measured) m.lag.record((now - due).count());
  m.first_due = mqtt::earlier(m.first_due, due);
  m.last_sent = now;
  m.sent_per_second.note(now - around_.start);
  client_.flush();
}

void BenchPublisher::on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView) {
  Measurements& m = around_.measurements;
  const bool refused = mqtt::is_error(reason);
  ++(refused ? m.rejected : m.acked);
  if (const InFlight* message = in_flight_.find(id)) {
    if (refused) {
      ++refused_.make()[message->stream];
      expected_ -= around_.plan.scenario.receivers_of(message->stream);
    } else if (message->measured) {
      m.ack.record((around_.loop.refresh_now() - message->sent).count());
    }
    in_flight_.erase(id);
  }
  look_for_room();
}

std::uint64_t BenchPublisher::deliverable_of(std::uint32_t stream) const {
  const auto refused = refused_->find(stream);
  return around_.plan.scenario.sent_of(stream, sent_) - (refused == refused_->end() ? 0 : refused->second);
}

std::uint64_t BenchPublisher::skip_rest() {
  std::uint64_t skipped = 0;
  for (; tried_ < around_.plan.scenario.limit_of(number()); ++tried_, ++skipped) {
    if (around_.plan.scenario.count == 0 && schedule_.next() >= around_.plan.scenario.length()) break;
    schedule_.advance();
  }
  return skipped;
}

BenchSubscriber::BenchSubscriber(Surroundings& around, ClientOwner& owner, std::uint32_t number)
    : BenchClient{around, owner, number} {}

void BenchSubscriber::on_accepted() {
  mqtt::SubscriptionList list;
  const auto filters = around_.plan.filters_of(number_of_all());
  for (const std::string& filter : filters) list.add(filter, {.qos = around_.plan.scenario.subscribe_qos});
  if (!client_.session().subscribe(around_.loop.now(), list.view(), around_.plan.subscribe_properties.view()))
    owner_.on_filter_refused(filters.front(), mqtt::ReasonCode::unspecified_error);
}

void BenchSubscriber::on_subscribed(mqtt::PacketId, const mqtt::SubackView& suback) {
  around_.measurements.subscribe.record(next_step().count());
  for (std::size_t n = 0; n < suback.reasons.size(); ++n) {
    const auto code = static_cast<mqtt::ReasonCode>(suback.reasons[n]);
    if (mqtt::is_error(code))
      return owner_.on_filter_refused(around_.plan.filters_of(number_of_all())[n], code);
  }
  ready();
}

void BenchSubscriber::on_message(const mqtt::PublishView& message, mqtt::AckToken) {
  Measurements& m = around_.measurements;
  const mqtt::TimePoint now = around_.loop.refresh_now();
  if (message.retain) return void(++m.retained);
  if (around_.plan.scenario.unstamped()) return note_unstamped(message, now);
  auto [stamp, fault] =
      read_stamp(message.payload, around_.plan.run, now + around_.clock_offset, around_.plan.covered());
  stamp.due -= around_.clock_offset;
  stamp.sent -= around_.clock_offset;
  if (fault == StampFault::foreign) return void(++m.foreign);
  m.last_received = now;
  ++m.received;
  m.received_per_second.note(now - around_.start);
  const bool ours = !fault && stamp.stream < around_.plan.scenario.streams();
  if (!ours) return note_damaged();
  const Arrived arrived = streams_.make()[stamp.stream].note(stamp.sequence);
  if (arrived == Arrived::duplicated) return void(++m.duplicated);
  ++distinct_;
  if (arrived == Arrived::reordered) ++m.reordered;
  if (!same_body(stamp, message.payload)) return void(++m.corrupted);
  record(stamp, now);
}

/// Only their number tells what is lost.
void BenchSubscriber::note_unstamped(const mqtt::PublishView& message, mqtt::TimePoint now) {
  Measurements& m = around_.measurements;
  m.last_received = now;
  ++m.received;
  m.received_per_second.note(now - around_.start);
  ++distinct_;
  if (!around_.plan.is_unstamped(message.payload)) ++m.corrupted;
}

void BenchSubscriber::note_damaged() {
  ++around_.measurements.corrupted;
  ++unnamed_;
  ++distinct_;
}

void BenchSubscriber::record(const Stamp& stamp, mqtt::TimePoint now) {
  const bool open_loop = around_.plan.scenario.open_loop();
  around_.seconds.record(now - around_.start, (now - (open_loop ? stamp.due : stamp.sent)).count());
  if (!around_.plan.measures(stamp.due - around_.start)) return;
  if (open_loop) around_.measurements.due_to_received.record((now - stamp.due).count());
  around_.measurements.sent_to_received.record((now - stamp.sent).count());
}

bool BenchSubscriber::same_body(const Stamp& stamp, mqtt::Bytes payload) const {
  if (around_.plan.covered() == Covered::payload) return true;  // by its CRC
  const mqtt::Bytes whole{around_.plan.payload.data(), around_.plan.size_of(stamp.stream, stamp.sequence)};
  return payload.size() == whole.size() &&
         mqtt::equal(payload.subspan(Stamp::size), whole.subspan(Stamp::size));
}

std::uint64_t BenchSubscriber::lost_of(const std::vector<std::uint64_t>& sent) const {
  std::uint64_t all = 0, lost = 0;
  for (std::uint32_t n = 0; n < sent.size(); ++n) {
    if (!around_.plan.scenario.receives(number_of_all(), n)) continue;
    const auto stream = streams_->find(n);
    lost += stream == streams_->end() ? sent[n] : stream->second.lost_of(sent[n]);
    all += sent[n];
  }
  if (around_.plan.scenario.unstamped()) return all - std::min(all, distinct_);
  return lost - std::min(lost, unnamed_);
}

}  // namespace mq::bench
