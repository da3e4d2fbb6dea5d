#include "mqsub/retained_remover.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mq {

void RetainedRemover::on_retained(const mqtt::PublishView& message) {
  if (!message.retain || message.payload.empty()) return;
  if (mode_ == Mode::dry_run)
    ++count_;
  else
    waiting_.emplace_back(message.topic);
}

void RetainedRemover::pump(mqtt::ClientSession& session, mqtt::TimePoint now) {
  while (!waiting_.empty() && session.connected() && session.send_quota() > 0) {
    std::string topic = std::move(waiting_.front());
    waiting_.pop_front();
    const mqtt::QoS qos = std::min(mqtt::QoS::at_least_once, session.limits().maximum_qos);
    const auto id = session.publish(now, {.qos = qos, .retain = true, .topic = topic}, {});
    if (!id) {
      failed_ = true;
      diag_.error(cannot_publish(topic, id.error()));
    } else if (*id != 0) {
      in_flight_.push_back({*id, std::move(topic)});
    } else {
      ++count_;
    }
  }
}

void RetainedRemover::on_published(mqtt::PacketId id, mqtt::ReasonCode reason,
                                   mqtt::PropertiesView properties) {
  const auto at = std::ranges::find(in_flight_, id, &InFlight::id);
  if (at == in_flight_.end()) return;
  if (mqtt::is_error(reason)) {
    failed_ = true;
    diag_.error(publish_rejected(at->topic, reason, properties));
  } else {
    ++count_;
  }
  in_flight_.erase(at);
}

std::string RetainedRemover::account() const {
  return fmt::format("{} retained {} {}", count_, count_ == 1 ? "message" : "messages",
                     mode_ == Mode::dry_run ? "would be removed" : "removed");
}

}  // namespace mq
