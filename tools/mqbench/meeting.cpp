#include "mqbench/meeting.hpp"

#include "common/sentences.hpp"

#include <fmt/format.h>

#include <utility>

namespace mq::bench {
namespace {

using mqtt::Duration;
using mqtt::TimePoint;

/// How often the thread looks what the main thread has said.
constexpr Duration meeting_tick = std::chrono::milliseconds{10};
/// A shard that is not there any more is missed after one and a half of it [MQTT-3.1.2-22].
constexpr std::uint16_t keep_alive_seconds = 10;
/// For what is still to be said, before the connection is left.
constexpr Duration leaving_time = std::chrono::seconds{2};

}  // namespace

Meeting::Meeting(RendezvousConfig config, ClientSetup setup, Where where)
    : topics_{fmt::format("mqbench-rendezvous/{}/", config.name)},
      index_{config.shard.index},
      leads_{config.shard.index == 0},
      patience_{config.patience},
      setup_{std::move(setup)},
      where_{std::move(where)},
      rendezvous_{config} {
  const Rendezvous::Outgoing last = rendezvous_.last_words();
  mqtt::ConnectOptions& connect = setup_.options.connect;
  connect.client_id = where_.client_id = fmt::format("mqbench{:016x}", config.nonce);
  connect.keep_alive = keep_alive_seconds;
  connect.will = mqtt::Will{topic_of(last.to), last.text, mqtt::QoS::at_least_once, false, {}};
  thread_ = std::thread{[this] { run(); }};
}

Meeting::~Meeting() {
  leaving_.store(true, std::memory_order_release);
  thread_.join();
}

Meeting::View Meeting::look() const {
  const std::lock_guard lock{mutex_};
  return {.run = rendezvous_.run(),
          .present = rendezvous_.present(),
          .start = rendezvous_.start(),
          .wall_start = WallTime{rendezvous_.wall_start()},
          .clock = rendezvous_.clock(),
          .worst_error = rendezvous_.worst_error(),
          .stop = rendezvous_.stop_asked(),
          .finish = rendezvous_.finish_asked(),
          .over = rendezvous_.over(),
          .total = rendezvous_.total(),
          .failure = rendezvous_.failure()};
}

void Meeting::ready(TimePoint now) {
  const std::lock_guard lock{mutex_};
  rendezvous_.ready(now);
}

void Meeting::report(TimePoint now, const Progress& own) {
  const std::lock_guard lock{mutex_};
  rendezvous_.report(now, own);
}

void Meeting::stop() {
  const std::lock_guard lock{mutex_};
  rendezvous_.stop();
}

void Meeting::finish() {
  const std::lock_guard lock{mutex_};
  rendezvous_.finish();
}

void Meeting::settle(TimePoint now, const std::vector<std::uint64_t>& sent) {
  const std::lock_guard lock{mutex_};
  rendezvous_.settle(now, sent);
}

std::vector<std::uint64_t> Meeting::counts() const {
  const std::lock_guard lock{mutex_};
  return rendezvous_.counts();
}

void Meeting::run() {
  loop_ = std::make_unique<mqtt::net::Loop>();
  mqtt::ClientHandler& handler = *this;
  client_ = std::make_unique<mqtt::Client>(*loop_, setup_.options, handler);
  timer_ = std::make_unique<mqtt::net::Timer>(*loop_, [this] { tick(); });
  client_->start();
  {
    const std::lock_guard lock{mutex_};
    rendezvous_.await(loop_->refresh_now());
  }
  tick();
  loop_->run();
  timer_.reset();
  client_.reset();
  loop_.reset();
}

void Meeting::tick() {
  const TimePoint now = loop_->refresh_now();
  if (leaving_.load(std::memory_order_acquire)) leave();
  {
    const std::lock_guard lock{mutex_};
    if (const auto due = rendezvous_.next_deadline(); due && now >= *due) rendezvous_.on_time(now);
  }
  publish();
  timer_->set(now + meeting_tick);
}

/// When nothing is left to say; then on_ended() comes.
void Meeting::leave() {
  if (ended_) return loop_->stop();
  const TimePoint now = loop_->now();
  if (leave_by_ == TimePoint{}) {
    leave_by_ = now + leaving_time;
    const std::lock_guard lock{mutex_};
    if (!rendezvous_.over()) letters_.push_back(rendezvous_.last_words());
  }
  publish();
  const bool said = letters_.empty() || now >= leave_by_ || !client_->connected();
  if (said && !std::exchange(said_goodbye_, true)) client_->disconnect();
}

void Meeting::publish() {
  {
    const std::lock_guard lock{mutex_};
    for (auto& letter : rendezvous_.take_output()) letters_.push_back(std::move(letter));
  }
  while (!letters_.empty() && publish(letters_.front())) letters_.pop_front();
}

/// False if it has to wait.
bool Meeting::publish(const Rendezvous::Outgoing& letter) {
  if (!client_->connected()) return letter.probe;
  if (!letter.probe && client_->session().send_quota() == 0) return false;
  const std::string topic = topic_of(letter.to);
  const mqtt::PublishView header{.qos = letter.probe ? mqtt::QoS::at_most_once : mqtt::QoS::at_least_once,
                                 .topic = topic};
  const mqtt::Bytes text{reinterpret_cast<const std::uint8_t*>(letter.text.data()), letter.text.size()};
  const auto id = client_->session().publish(loop_->now(), header, {text, nullptr});
  client_->flush();
  if (id) return true;
  const std::lock_guard lock{mutex_};
  rendezvous_.fail({ExitCode::publish_rejected,
                    fmt::format("the rendezvous: {}", cannot_publish(topic, id.error()).text)});
  return true;
}

std::string Meeting::topic_of(std::optional<std::uint32_t> to) const {
  return to ? fmt::format("{}{}", topics_, *to + 1) : topics_ + "all";
}

void Meeting::on_connack(const mqtt::ConnackView& connack) {
  if (mqtt::is_error(connack.reason)) return;  // on_ended() follows, or another version is tried
  const std::string all = topic_of(std::nullopt), own = topic_of(index_);
  mqtt::SubscriptionList list;
  list.add(all, {.qos = mqtt::QoS::at_least_once});
  list.add(own, {.qos = mqtt::QoS::at_least_once});
  static_cast<void>(client_->session().subscribe(loop_->now(), list.view()));
}

void Meeting::on_subscribed(mqtt::PacketId, const mqtt::SubackView& suback) {
  {
    const std::lock_guard lock{mutex_};
    for (const std::uint8_t code : suback.reasons)
      if (const auto reason = static_cast<mqtt::ReasonCode>(code); mqtt::is_error(reason))
        return rendezvous_.fail(
            {ExitCode::subscribe_refused,
             fmt::format("the rendezvous: {}", subscription_refused(topics_ + "...", reason, {}).text)});
    rendezvous_.open(loop_->refresh_now());
  }
  publish();
}

void Meeting::on_message(const mqtt::PublishView& message, mqtt::AckToken) {
  if (message.retain) return;  // of an earlier meeting, and not ours
  {
    const std::lock_guard lock{mutex_};
    rendezvous_.receive(loop_->refresh_now(),
                        {reinterpret_cast<const char*>(message.payload.data()), message.payload.size()});
  }
  publish();
}

void Meeting::on_published(mqtt::PacketId, mqtt::ReasonCode, mqtt::PropertiesView) { publish(); }

void Meeting::on_ended(const mqtt::Ending& ending) {
  ended_ = true;
  if (said_goodbye_) return loop_->stop();
  const std::lock_guard lock{mutex_};
  rendezvous_.fail({exit_code_for(ending), fmt::format("the rendezvous: {}", describe(ending, where_).text)});
}

}  // namespace mq::bench
