#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/codec/packet.hpp>

namespace mq {

/// How the replies to one request are known.
struct ReplyMark {
  std::string topic;  ///< the response topic
  std::optional<std::string>
      correlation;  ///< Correlation Data; none before MQTT 5: the topic is all there is
  /// The server retains none for us (Retain Handling) and leaves live messages their flag.
  bool retained_is_live = false;
};

enum class ReplyVerdict : std::uint8_t {
  reply,
  too_early,          ///< the request has not been sent
  other_topic,        ///< of a session that was kept
  retained,           ///< stale: nobody knows what it answered
  no_correlation,     ///< it has no Correlation Data
  other_correlation,  ///< it answers another request
  redelivered,        ///< a reply of QoS 1 that was taken, but whose acknowledgement was lost
};

/// Why a message is left out, as the end of a sentence; not for ReplyVerdict::reply.
[[nodiscard]] std::string_view to_string(ReplyVerdict verdict);

/// Tells replies from what else comes, and counts both.
class Replies {
 public:
  explicit Replies(std::uint64_t wanted) : wanted_{wanted} {}

  /// The request is on its way: from here on there can be replies.
  void expect(ReplyMark mark) { mark_ = std::move(mark); }

  /// Counts the message, too.
  [[nodiscard]] ReplyVerdict judge(const mqtt::PublishView& message);

  [[nodiscard]] bool complete() const { return taken_ >= wanted_; }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }
  /// Messages that could have been replies but for their lack of Correlation Data.
  [[nodiscard]] std::uint64_t uncorrelated() const { return uncorrelated_; }
  /// "1 of 3 replies received, 2 other messages left out"
  [[nodiscard]] std::string progress() const;

 private:
  [[nodiscard]] ReplyVerdict verdict_on(const mqtt::PublishView& message) const;
  [[nodiscard]] bool is_redelivered(const mqtt::PublishView& reply) const;

  std::uint64_t wanted_;
  std::optional<ReplyMark> mark_;
  std::uint64_t taken_ = 0;
  std::uint64_t left_out_ = 0;
  std::uint64_t uncorrelated_ = 0;
  std::map<mqtt::PacketId, std::size_t> seen_;  // hashes of payloads: replies of QoS 1, the last of each id
};

}  // namespace mq
