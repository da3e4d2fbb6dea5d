#include "mqbench/operations.hpp"

#include <fmt/format.h>

#include <utility>

#include "mqbench/stamp.hpp"

namespace mq::bench {
namespace {

using mqtt::PropertyId;

template <class Kind>
std::unique_ptr<BenchPublisher> make(Surroundings& around, ClientOwner& owner, std::uint32_t number) {
  return std::make_unique<Kind>(around, owner, number);
}

}  // namespace

std::unique_ptr<BenchPublisher> make_publisher(Surroundings& around, ClientOwner& owner,
                                               std::uint32_t number) {
  switch (around.plan.scenario.operation) {
    case Operation::publish: break;
    case Operation::request: return make<Requester>(around, owner, number);
    case Operation::connect: return make<Connector>(around, owner, number);
    case Operation::reconnect: return make<Reconnector>(around, owner, number);
    case Operation::will: return make<Mortal>(around, owner, number);
    case Operation::subscribe: return make<Churner>(around, owner, number);
  }
  return make<BenchPublisher>(around, owner, number);
}

std::unique_ptr<BenchSubscriber> make_subscriber(Surroundings& around, ClientOwner& owner,
                                                 std::uint32_t number) {
  if (around.plan.scenario.operation == Operation::request)
    return std::make_unique<Responder>(around, owner, number);
  return std::make_unique<BenchSubscriber>(around, owner, number);
}

void Operator::begin(mqtt::TimePoint due) {
  under_way_ = true;
  due_ = due;
  began_ = around_.loop.refresh_now();
  note_sent(due, began_, 1);
}

void Operator::completed() {
  if (!std::exchange(under_way_, false)) return;
  const mqtt::TimePoint now = around_.loop.refresh_now();
  Measurements& m = around_.measurements;
  ++complete_;
  ++m.received;
  m.received_per_second.note(now - around_.start);
  m.came_per_second.note(due_ - around_.start);
  m.last_received = now;
  const bool open_loop = around_.plan.scenario.open_loop();
  around_.seconds.record(now - around_.start, (now - (open_loop ? due_ : began_)).count());
  if (around_.plan.measures(due_ - around_.start)) {
    if (open_loop) m.due_to_received.record((now - due_).count());
    m.sent_to_received.record((now - began_).count());
  }
  look_for_room();
}

void Operator::refused(std::string_view why) {
  ++around_.measurements.refusals[std::string{why}];
  if (!std::exchange(under_way_, false)) return;
  ++around_.measurements.rejected;
  forget_expected(due_, 1);
}

void Connector::publish(mqtt::TimePoint due) {
  begin(due);
  connect();
}

void Connector::on_ended(const mqtt::Ending& ending) {
  if (under_way()) refused(why(ending));
  BenchPublisher::on_ended(ending);
}

void Reconnector::publish(mqtt::TimePoint due) {
  begin(due);
  cut_ = true;
  restart_clock();
  client_.break_connection(mqtt::Breakage::reset);
}

void Reconnector::on_accepted() {
  if (!under_way()) return ready();
  arrived();
  completed();
}

/// It tries again, so that the operation is still under way.
void Reconnector::on_lost(const mqtt::Ending& ending, mqtt::Duration) {
  if (!std::exchange(cut_, false)) ++around_.measurements.refusals[why(ending)];
}

void Churner::on_lost(const mqtt::Ending& ending, mqtt::Duration delay) {
  BenchClient::on_lost(ending, delay);
  unsubscribing_ = false;
  if (under_way()) refused(why(ending));
}

void Churner::publish(mqtt::TimePoint due) {
  begin(due);
  mqtt::SubscriptionList list;
  const std::string filter = around_.plan.reply_topic(number());
  list.add(filter, {.qos = around_.plan.scenario.subscribe_qos});
  asked_ = around_.loop.now();
  if (!client_.session().subscribe(asked_, list.view(), around_.plan.subscribe_properties.view()))
    return refused("SUBSCRIBE cannot be sent");
  client_.flush();
}

void Churner::on_subscribed(mqtt::PacketId, const mqtt::SubackView& suback) {
  const mqtt::TimePoint now = around_.loop.refresh_now();
  around_.measurements.subscribe.record((now - asked_).count());
  const auto code = static_cast<mqtt::ReasonCode>(suback.reasons.front());
  if (mqtt::is_error(code)) return refused(reason_name(code, mqtt::PacketType::suback)), look_for_room();
  unsubscribing_ = true;
  mqtt::FilterList list;
  list.add(around_.plan.reply_topic(number()));
  asked_ = now;
  if (!client_.session().unsubscribe(now, list.view())) unsubscribing_ = false;
  completed();
}

void Churner::on_unsubscribed(mqtt::PacketId, const mqtt::UnsubackView&) {
  around_.measurements.unsubscribe.record((around_.loop.refresh_now() - asked_).count());
  unsubscribing_ = false;
  look_for_room();
}

/// When it will go is counted from the start, which nobody knows yet.
void Mortal::on_connecting(mqtt::ConnectOptions& connect) {
  BenchPublisher::on_connecting(connect);
  const Plan& plan = around_.plan;
  const mqtt::MutableBytes payload = around_.payloads.make(number(), 0, 0);
  if (!plan.scenario.unstamped())
    write_stamp(
        {.run = plan.run, .stream = number(), .sequence = 0, .due = mqtt::TimePoint{next()}, .sent = {}},
        payload, plan.covered());
  connect.will = mqtt::Will{.topic = plan.topic_of(number()),
                            .payload = mqtt::to_string(payload),
                            .qos = plan.scenario.publish_qos,
                            .retain = false,
                            .properties = {}};
}

void Mortal::publish(mqtt::TimePoint due) {
  note_sent(due, around_.loop.refresh_now(), around_.plan.scenario.receivers_of(number()));
  go();
  client_.break_connection(mqtt::Breakage::reset);
}

void Requester::on_accepted() {
  if (client_.session().limits().session_present && away()) return be_ready();
  mqtt::SubscriptionList list;
  const std::string filter = around_.plan.reply_topic(number());
  list.add(filter, {.qos = around_.plan.scenario.subscribe_qos});
  if (!client_.session().subscribe(around_.loop.now(), list.view()))
    owner_.on_filter_refused(filter, mqtt::ReasonCode::unspecified_error);
}

void Requester::on_subscribed(mqtt::PacketId, const mqtt::SubackView& suback) {
  const auto code = static_cast<mqtt::ReasonCode>(suback.reasons.front());
  if (mqtt::is_error(code)) return owner_.on_filter_refused(around_.plan.reply_topic(number()), code);
  be_ready();
}

void Requester::on_message(const mqtt::PublishView& message, mqtt::AckToken) {
  inbox_.note(message, around_.loop.refresh_now());
}

mqtt::PropertiesView Requester::properties(std::uint64_t sequence) {
  properties_ = around_.plan.publish_properties;
  if (client_.session().version() == mqtt::Version::v5) {
    properties_.add(PropertyId::response_topic, around_.plan.reply_topic(number()));
    properties_.add(PropertyId::correlation_data, fmt::format("{:016x}", sequence));
  }
  return properties_.view();
}

std::uint64_t Requester::lost_of(const std::vector<std::uint64_t>& sent) const {
  const std::uint32_t publishers = around_.plan.scenario.publishers;
  return inbox_.lost_of(sent, [&](std::uint32_t stream) { return stream % publishers == number(); });
}

/// Before 5.0 the requester is known by the stamp.
void Responder::on_message(const mqtt::PublishView& message, mqtt::AckToken) {
  const Plan& plan = around_.plan;
  const auto [stamp, fault] = read_stamp(message.payload, plan.run,
                                         around_.loop.refresh_now() + around_.clock_offset, plan.covered());
  if (fault == StampFault::foreign) return void(++around_.measurements.foreign);
  if (fault || waiting_.size() == waiting_max) return;
  Reply reply{.topic = plan.reply_topic(stamp.stream % plan.scenario.publishers),
              .payload = mqtt::to_string(message.payload),
              .properties = {}};
  for (const mqtt::PropertyView& property : message.properties) {
    if (property.id == PropertyId::response_topic) reply.topic = property.text;
    if (property.id == PropertyId::correlation_data) reply.properties.add(property);
  }
  waiting_.push_back(std::move(reply));
  answer();
}

void Responder::on_published(mqtt::PacketId, mqtt::ReasonCode, mqtt::PropertiesView) { answer(); }

void Responder::answer() {
  const mqtt::QoS qos = around_.plan.scenario.publish_qos;
  while (!waiting_.empty() && (qos == mqtt::QoS::at_most_once || client_.session().send_quota() > 0)) {
    const Reply& reply = waiting_.front();
    const mqtt::PublishView header{.qos = qos, .topic = reply.topic, .properties = reply.properties.view()};
    const auto sent =
        client_.session().publish(around_.loop.now(), header, {mqtt::as_bytes(reply.payload), nullptr});
    if (!sent) return owner_.on_cannot_publish(reply.topic, sent.error());
    waiting_.pop_front();
  }
  client_.flush();
}

}  // namespace mq::bench
