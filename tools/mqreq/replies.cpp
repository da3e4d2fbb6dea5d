#include "mqreq/replies.hpp"

#include <fmt/format.h>

#include <functional>

namespace mq {
namespace {

std::size_t hash_of(mqtt::Bytes payload) { return std::hash<std::string_view>{}(mqtt::as_text(payload)); }

}  // namespace

std::string_view to_string(ReplyVerdict verdict) {
  switch (verdict) {
    case ReplyVerdict::reply: break;
    case ReplyVerdict::too_early: return "it came before the request was sent";
    case ReplyVerdict::other_topic: return "its topic is not the Response Topic";
    case ReplyVerdict::retained: return "it was retained";
    case ReplyVerdict::no_correlation: return "it has no Correlation Data";
    case ReplyVerdict::other_correlation: return "its Correlation Data are not the request's";
    case ReplyVerdict::redelivered: return "it was delivered before";
  }
  return {};
}

ReplyVerdict Replies::verdict_on(const mqtt::PublishView& message) const {
  if (!mark_) return ReplyVerdict::too_early;
  if (message.topic != mark_->topic) return ReplyVerdict::other_topic;
  if (message.retain && !mark_->retained_is_live) return ReplyVerdict::retained;
  if (!mark_->correlation) return ReplyVerdict::reply;
  const auto correlation = message.properties.text(mqtt::PropertyId::correlation_data);
  if (!correlation) return ReplyVerdict::no_correlation;
  return *correlation == *mark_->correlation ? ReplyVerdict::reply : ReplyVerdict::other_correlation;
}

/// A server sends again under the same packet identifier [MQTT-4.4.0-1]; DUP alone would not do: it may be of
/// a delivery that never came.
bool Replies::is_redelivered(const mqtt::PublishView& reply) const {
  if (!reply.dup || reply.qos != mqtt::QoS::at_least_once) return false;
  const auto before = seen_.find(reply.packet_id);
  return before != seen_.end() && before->second == hash_of(reply.payload);
}

ReplyVerdict Replies::judge(const mqtt::PublishView& message) {
  ReplyVerdict verdict = verdict_on(message);
  if (verdict == ReplyVerdict::reply && is_redelivered(message)) verdict = ReplyVerdict::redelivered;
  if (verdict == ReplyVerdict::reply && message.qos == mqtt::QoS::at_least_once)
    seen_[message.packet_id] = hash_of(message.payload);
  ++(verdict == ReplyVerdict::reply ? taken_ : left_out_);
  if (verdict == ReplyVerdict::no_correlation) ++uncorrelated_;
  return verdict;
}

std::string Replies::progress() const {
  std::string text = fmt::format("{} of {} replies received", taken_, wanted_);
  if (left_out_ > 0)
    text += fmt::format(", {} other {} left out", left_out_, left_out_ == 1 ? "message" : "messages");
  return text;
}

}  // namespace mq
