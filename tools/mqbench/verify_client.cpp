#include "mqbench/verify_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include <mqtt/util/text.hpp>

#include "mqbench/stamp.hpp"

namespace mq::bench {
namespace {

using mqtt::TimePoint;

/// QoS 0 has no window: so much may wait for the kernel.
constexpr std::size_t unsent_max = 64 * 1024;

}  // namespace

std::string verify_topic(std::uint32_t run, const VerifyScenario& scenario, std::uint32_t publisher) {
  return fmt::format("mqbench/{:06x}/{}/{}", run, publisher / scenario.publishers,
                     publisher % scenario.publishers);
}

std::string verify_filter(std::uint32_t run, const VerifyScenario& scenario, std::uint32_t subscriber) {
  return fmt::format("mqbench/{:06x}/{}/+", run, subscriber / scenario.subscribers);
}

void make_verify_payload(std::uint32_t run, const VerifyScenario& scenario, std::uint32_t publisher,
                         std::uint64_t number, TimePoint sent, std::vector<std::uint8_t>& into) {
  into.resize(scenario.size.of(scenario.seed, publisher, number));
  write_stamp({.run = run, .stream = publisher, .sequence = number, .due = sent, .sent = sent}, into);
  std::minstd_rand noise{static_cast<std::uint32_t>(number * 2'654'435'761U + publisher)};
  for (auto& byte : mqtt::MutableBytes{into}.subspan(Stamp::size))
    byte = static_cast<std::uint8_t>(noise() >> 16);
}

VerifyClient::VerifyClient(VerifyGround& ground, std::string name, mqtt::ClientOptions options)
    : ground_{ground},
      name_{std::move(name)},
      client_{ground.loop, std::move(options), *this},
      fault_timer_{ground.loop, [this] { on_fault_time(); }} {}

void VerifyClient::leave() {
  fault_timer_.cancel();
  client_.resume_reading();
  const bool v5 = client_.session().version() == mqtt::Version::v5;
  session_left_ = v5 && client_.has_connected() && !client_.connected();
  client_.disconnect(mqtt::ReasonCode::normal_disconnection,
                     v5 ? ground_.farewell.view() : mqtt::PropertiesView{});
}

void VerifyClient::suffer(FaultKind kind, mqtt::Duration length) {
  fault_ = kind;
  const TimePoint now = ground_.loop.refresh_now();
  if (kind == FaultKind::stall) {
    client_.pause_reading();
    on_away();
    return fault_timer_.set(now + length);
  }
  if (kind == FaultKind::half_close) {
    fault_timer_.set(now + half_close_patience);
    return client_.break_connection(mqtt::Breakage::half_close);
  }
  client_.break_connection(mqtt::Breakage::reset,
                           kind == FaultKind::resume ? length : mqtt::Duration::zero());
}

void VerifyClient::on_fault_time() {
  if (fault_ == FaultKind::stall) {
    fault_.reset();
    client_.resume_reading();
    return on_back();
  }
  if (fault_ != FaultKind::half_close) return;
  ++half_closes_ignored_;
  client_.break_connection(mqtt::Breakage::reset);
}

void VerifyClient::on_connack(const mqtt::ConnackView& connack) {
  if (mqtt::is_error(connack.reason)) return;  // on_lost() or on_ended() follows, or another version is tried
  ++ground_.moved;
  const bool present = client_.session().limits().session_present;
  sessions_lost_ += std::exchange(accepted_before_, true) && !present;
  fault_.reset();
  on_accepted(present);
}

void VerifyClient::on_lost(const mqtt::Ending&, mqtt::Duration) {
  const bool ours = fault_ && fault_ != FaultKind::stall;
  connections_lost_ += !ours && client_.has_connected();
  fault_timer_.cancel();
  client_.resume_reading();
  if (!ours) fault_.reset();
  on_away();
}

void VerifyClient::on_ended(const mqtt::Ending& ending) {
  ended_ = ending;
  ++ground_.moved;
}

VerifyPublisher::VerifyPublisher(VerifyGround& ground, std::string name, mqtt::ClientOptions options,
                                 std::uint32_t number)
    : VerifyClient{ground, std::move(name), std::move(options)},
      number_{number},
      topic_{verify_topic(ground.run, ground.scenario, number)} {}

bool VerifyPublisher::publish() {
  if (!client().connected() || client().unsent() > unsent_max) return false;
  if (qos() != mqtt::QoS::at_most_once && client().session().send_quota() == 0) return false;
  const TimePoint now = ground_.loop.refresh_now();
  make_verify_payload(ground_.run, ground_.scenario, number_, published_.sent, now, payload_);
  const mqtt::PublishView header{.qos = qos(), .topic = topic_};
  const auto id = client().session().publish(now, header, {payload_, nullptr});
  if (!id) {
    failure_ = SetupFailure{ExitCode::publish_rejected, cannot_publish(topic_, id.error())};
    return false;
  }
  if (*id != 0) in_flight_.insert_or_assign(*id, InFlight{published_.sent, now});
  ground_.next_sent[number_] = ++published_.sent;
  ++ground_.moved;
  client().flush();
  return true;
}

void VerifyPublisher::on_away() {
  if (qos() == mqtt::QoS::at_most_once) published_.breaks.push_back(published_.sent);
}

void VerifyPublisher::on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView) {
  ++ground_.moved;
  const auto entry = in_flight_.extract(id);
  if (!entry) return;
  if (mqtt::is_error(reason)) return published_.refused.push_back(entry.mapped().number);
  ++acked_;
  acked_late_ += ground_.loop.refresh_now() - entry.mapped().sent > ground_.scenario.late;
}

VerifySubscriber::VerifySubscriber(VerifyGround& ground, std::string name, mqtt::ClientOptions options,
                                   std::uint32_t number)
    : VerifyClient{ground, std::move(name), std::move(options)},
      number_{number},
      first_{number / ground.scenario.subscribers * ground.scenario.publishers},
      filter_{verify_filter(ground.run, ground.scenario, number)},
      promised_{ground.scenario.kind_of_subscriber(number).promised()},
      streams_(ground.scenario.publishers) {}

void VerifySubscriber::on_accepted(bool session_present) {
  if (session_present && subscribed_) return on_back();
  subscribed_ = false;
  mqtt::SubscriptionList list;
  list.add(filter_, {.qos = ground_.scenario.kind_of_subscriber(number_).subscribe});
  const auto asked = client().session().subscribe(ground_.loop.refresh_now(), list.view());
  if (!asked) failure_ = SetupFailure{ExitCode::subscribe_refused, cannot_subscribe(filter_, asked.error())};
}

void VerifySubscriber::on_subscribed(mqtt::PacketId, const mqtt::SubackView& suback) {
  const auto code = static_cast<mqtt::ReasonCode>(suback.reasons.front());
  if (mqtt::is_error(code)) {
    failure_ =
        SetupFailure{ExitCode::subscribe_refused, subscription_refused(filter_, code, suback.properties)};
    return;
  }
  ++ground_.moved;
  promised_ = std::min(promised_, static_cast<mqtt::QoS>(suback.reasons.front()));
  subscribed_ = true;
  on_back();
}

void VerifySubscriber::on_away() {
  for (StreamTally& stream : streams_) stream.on_subscriber_away();
}

void VerifySubscriber::on_back() {
  for (std::size_t n = 0; n < streams_.size(); ++n)
    streams_[n].on_subscriber_back(ground_.next_sent[first_ + n]);
}

/// Of the publisher whose topic it is; null for other topics.
StreamTally* VerifySubscriber::stream_of(std::string_view topic) {
  const std::size_t slash = topic.rfind('/');
  if (slash == std::string_view::npos || topic.substr(0, slash + 1) != filter_.substr(0, filter_.size() - 1))
    return nullptr;
  const auto number = mqtt::parse_number<std::uint32_t>(topic.substr(slash + 1));
  return number && *number < streams_.size() ? &streams_[*number] : nullptr;
}

/// The topic has the run's number: whatever else comes there is damaged, and not somebody else's.
void VerifySubscriber::on_message(const mqtt::PublishView& message, mqtt::AckToken) {
  const TimePoint now = ground_.loop.refresh_now();
  ++ground_.moved;
  StreamTally* const stream = message.retain ? nullptr : stream_of(message.topic);
  if (!stream) return void(++ground_.foreign);
  const auto publisher = first_ + static_cast<std::uint32_t>(stream - streams_.data());
  const auto [stamp, fault] = read_stamp(message.payload, ground_.run, now);
  if (fault || stamp.stream != publisher || stamp.sequence >= ground_.next_sent[publisher])
    return stream->note_nameless();
  make_verify_payload(ground_.run, ground_.scenario, publisher, stamp.sequence, stamp.sent, expected_);
  // Where due and sent differ, the stamp is not as we wrote it, whatever its CRC says.
  const bool whole = mqtt::equal(message.payload, expected_);
  stream->note(
      stamp.sequence, whole ? StreamTally::Body::intact : StreamTally::Body::damaged,
      now - stamp.sent > ground_.scenario.late ? StreamTally::Timing::late : StreamTally::Timing::in_time);
}

}  // namespace mq::bench
