#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include <mqtt/codec/types.hpp>

namespace mq::bench {

/// What became of one publisher's messages on their way to one subscriber.
struct StreamCounts {
  std::uint64_t expected = 0;  ///< sent, and not refused by the server
  std::uint64_t received = 0;  ///< different ones, damaged ones included
  std::uint64_t lost = 0;
  std::uint64_t lost_at_faults = 0;  ///< at QoS 0, where a connection was lost: nobody promised them
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;  ///< first arrivals after a later message's [MQTT-4.6.0-5] [MQTT-4.6.0-6]
  std::uint64_t corrupted = 0;
  std::uint64_t late = 0;

  void add(const StreamCounts& other);
  bool operator==(const StreamCounts&) const = default;
};

/// The first few messages of each fault, by their numbers.
struct StreamExamples {
  static constexpr std::size_t kept = 5;

  std::vector<std::uint64_t> lost;
  std::vector<std::uint64_t> duplicated;
  std::vector<std::uint64_t> reordered;
  std::vector<std::uint64_t> corrupted;
};

/// What a publisher knows of its messages, numbered from 0.
struct Published {
  std::uint64_t sent = 0;
  std::vector<std::uint64_t> refused{};  ///< by the server; in order
  /// At QoS 0: the next number each time when its connection was lost; in order.
  std::vector<std::uint64_t> breaks{};
};

struct StreamJudgement {
  StreamCounts counts;
  StreamExamples examples;
};

/// Judges one publisher's messages at one subscriber. It keeps a byte per message, so that what arrives
/// when and how often makes no difference to what it knows.
class StreamTally {
 public:
  enum class Body : std::uint8_t { intact, damaged };
  enum class Timing : std::uint8_t { in_time, late };

  /// A message that the publisher has sent.
  void note(std::uint64_t number, Body body, Timing timing);
  /// A damaged one of which nobody knows which it was.
  void note_nameless() { ++nameless_; }
  /// At QoS 0: the subscriber's connection was lost, or is not read.
  void on_subscriber_away();
  /// It is back; the publisher's next message has this number.
  void on_subscriber_back(std::uint64_t next_sent);

  /// Different messages.
  [[nodiscard]] std::uint64_t distinct() const { return distinct_ + nameless_; }
  /// The message with this number has come.
  [[nodiscard]] bool has(std::uint64_t number) const {
    return number < arrivals_.size() && arrivals_[number] > 0;
  }
  [[nodiscard]] StreamJudgement judge(const Published& published, mqtt::QoS qos) const;

 private:
  /// From `begin` to before `end`.
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
  };

  [[nodiscard]] std::vector<bool> excused(const Published& published, mqtt::QoS qos) const;

  std::vector<std::uint8_t> arrivals_;  // by number, at most 255
  std::vector<Range> away_;             // the last one may be open: `end` is open_end
  StreamCounts counts_;
  StreamExamples examples_;
  std::uint64_t distinct_ = 0;
  std::uint64_t nameless_ = 0;
};

/// What the counts break of what the QoS promises.
struct Breach {
  bool lost = false;
  bool duplicated = false;
  bool reordered = false;
  bool corrupted = false;

  [[nodiscard]] bool any() const { return lost || duplicated || reordered || corrupted; }
};

/// At QoS 0 a message comes at most once, at QoS 1 at least once, at QoS 2 exactly once (4.3); in order and
/// undamaged always. What QoS 0 loses while both connections live counts: TCP has lost nothing.
[[nodiscard]] Breach breach_of(const StreamCounts& counts, mqtt::QoS qos);

}  // namespace mq::bench
