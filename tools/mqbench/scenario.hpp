#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/client/endpoint.hpp>
#include <mqtt/codec/types.hpp>
#include <mqtt/util/time.hpp>

#include "common/property_options.hpp"
#include "mqbench/payload_pattern.hpp"
#include "mqbench/schedule.hpp"
#include "mqbench/size_pattern.hpp"
#include "mqbench/topic_pattern.hpp"

namespace mq::bench {

/// Who gets whose messages.
enum class Wiring : std::uint8_t {
  pairs,   ///< a subscriber takes the topics of its number, as modulo() has it
  all,     ///< every subscriber takes everything
  shared,  ///< the subscribers share everything out among them: $share
};

/// What a publisher does when it is due.
enum class Operation : std::uint8_t {
  publish,    ///< a message
  request,    ///< a message that a subscriber answers; the answer's way is what is measured
  subscribe,  ///< subscribes to a topic of its own, and unsubscribes
  connect,    ///< connects, once
  reconnect,  ///< is cut off, and connects again
  will,       ///< is cut off, once, and leaves its will
};

/// Who keeps what is published while the subscribers are away. They come when all has been sent.
enum class Stored : std::uint8_t {
  none,      ///< they are there from the start
  retained,  ///< each topic its last message
  queued,    ///< their sessions
};

/// What a run does. A preset or a file sets all of it, options change parts.
///
/// Messages are numbered by stream: one publisher's on one topic. Stream n is that of publisher n on topic n,
/// both modulo how many there are, and there are as many streams as there are more of. A publisher with
/// several takes them in turn.
struct Scenario {
  std::string name = "custom";
  double scale = 1;  ///< by which clients and rates have been multiplied already
  std::uint32_t publishers = 1;
  std::uint32_t subscribers = 1;
  std::uint32_t slow = 0;  ///< of them: they stop reading for the second half of the run
  Wiring wiring = Wiring::pairs;
  Operation operation = Operation::publish;
  Stored stored = Stored::none;
  mqtt::QoS publish_qos = mqtt::QoS::at_most_once;
  mqtt::QoS subscribe_qos = mqtt::QoS::at_most_once;
  TopicPattern pattern{};
  SizePattern size{};        ///< bytes of a payload, the stamp included
  PayloadPattern payload{};  ///< instead of that: what is behind the stamp
  bool topic_alias = false;  ///< MQTT 5.0: topics are sent once, as far as the server takes aliases
  double rate =
      1'000;  ///< messages per second of all publishers; 0: closed loop, as fast as the window allows
  std::optional<std::uint16_t> window{};  ///< QoS 1 and 2 messages in flight of each publisher
  Arrival arrival = Arrival::fixed;
  std::uint64_t burst = 1;
  double ramp = 1'000;  ///< connections per second
  mqtt::Duration warmup = std::chrono::seconds{1};
  mqtt::Duration duration = std::chrono::seconds{10};
  std::uint64_t count = 0;  ///< messages of all publishers; 0: as many as fit into the duration
  mqtt::Duration drain = std::chrono::seconds{10};
  unsigned threads = 0;  ///< 0: one per processor
  std::uint64_t seed = 1;
  bool spin = false;  ///< open loop: wait for the last 100 us before a message is due in a busy loop
  std::vector<std::string> sources{};            ///< addresses to connect from, in turn
  std::vector<mqtt::Endpoint> brokers{};         ///< of all clients, in turn; none: the options say it
  std::vector<mqtt::Endpoint> publish_to{};      ///< of the publishers alone, instead
  std::vector<mqtt::Endpoint> subscribe_from{};  ///< of the subscribers alone, instead
  PropertySet properties{};  ///< MQTT 5.0: of CONNECT, PUBLISH and SUBSCRIBE, as -D gives them

  [[nodiscard]] bool open_loop() const { return rate > 0; }
  [[nodiscard]] std::uint32_t clients() const { return publishers + subscribers; }
  [[nodiscard]] std::uint32_t topics() const;
  [[nodiscard]] std::uint32_t streams() const { return std::max(publishers, topics()); }
  [[nodiscard]] std::uint32_t topic_of(std::uint32_t stream) const { return stream % topics(); }
  /// Of the publisher's message `number`, from 0.
  [[nodiscard]] std::uint32_t stream_of(std::uint32_t publisher, std::uint64_t number) const;
  /// In its stream.
  [[nodiscard]] std::uint64_t sequence_of(std::uint32_t publisher, std::uint64_t number) const;
  /// Of `sent` messages of the publisher, how many are of the stream, which is one of its own.
  [[nodiscard]] std::uint64_t sent_of(std::uint32_t stream, std::uint64_t sent) const;
  /// Every subscriber takes every topic.
  [[nodiscard]] bool takes_all() const { return wiring != Wiring::pairs || modulo() == 1; }
  [[nodiscard]] bool takes(std::uint32_t subscriber, std::uint32_t topic) const;
  [[nodiscard]] bool receives(std::uint32_t subscriber, std::uint32_t stream) const {
    return takes(subscriber, topic_of(stream));
  }
  /// How many subscribers receive what is of the stream.
  [[nodiscard]] std::uint32_t receivers_of(std::uint32_t stream) const;
  /// Of `count`, what one publisher sends; without a count there is no limit.
  [[nodiscard]] std::uint64_t limit_of(std::uint32_t publisher) const;
  /// Payloads have no stamp: they are too small for one.
  [[nodiscard]] bool unstamped() const;
  /// From the common start to where no message is due any more.
  [[nodiscard]] mqtt::Duration length() const { return warmup + duration; }

  /// When the slow readers stop.
  [[nodiscard]] mqtt::Duration slow_from() const { return warmup + duration / 2; }
  /// Messages that a subscriber gets of a count, if nothing is lost.
  [[nodiscard]] std::uint64_t share_of(std::uint32_t subscriber) const;
  /// Messages go to one of many, nobody knows whom.
  [[nodiscard]] bool shares_out() const {
    return wiring == Wiring::shared && subscribers > 0 && operation == Operation::publish;
  }
  /// Publishers are not connected when the run starts.
  [[nodiscard]] bool publishers_wait() const { return operation == Operation::connect; }

  /// So many messages in all, each of them measured, however long that takes.
  void set_count(std::uint64_t messages);
  /// What each publisher does once, or all of them at the same time, stays so.
  void set_publishers(std::uint32_t clients);
  /// Multiplies clients and rates; of what there is some, at least one is left.
  void scale_by(double factor);

 private:
  /// Pairs: numbers of subscribers and of topics that are the same by this go together.
  [[nodiscard]] std::uint32_t modulo() const { return std::max(1U, std::min(subscribers, topics())); }
  [[nodiscard]] std::uint32_t streams_of(std::uint32_t publisher) const;
};

/// More are nobody's, whatever the machine.
inline constexpr std::uint64_t clients_max = 10'000'000;

/// What does not go together in it, as a sentence's end; nothing if it can run.
[[nodiscard]] std::optional<std::string> find_fault(const Scenario& scenario);

struct Preset {
  std::string_view what;
  Scenario scenario;
};

[[nodiscard]] std::span<const Preset> presets();
/// Null if there is none of this name, whose letters may be capital ones or not.
[[nodiscard]] const Preset* find_preset(std::string_view name);
/// The preset that was most likely meant; empty if none is near.
[[nodiscard]] std::string_view nearest_preset(std::string_view name);

}  // namespace mq::bench
