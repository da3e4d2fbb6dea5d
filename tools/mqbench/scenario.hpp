#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/time.hpp>

#include "mqbench/schedule.hpp"

namespace mq::bench {

/// Who gets whose messages.
enum class Wiring : std::uint8_t {
  pairs,  ///< each publisher has one topic, which the subscribers of the same number (modulo the topics) take
  all,    ///< every subscriber takes everything
};

/// What a run does. A preset sets all of it, options change parts.
struct Scenario {
  std::string name{};
  std::uint32_t publishers = 1;
  std::uint32_t subscribers = 1;
  Wiring wiring = Wiring::pairs;
  mqtt::QoS publish_qos = mqtt::QoS::at_most_once;
  mqtt::QoS subscribe_qos = mqtt::QoS::at_most_once;
  std::size_t size = 100;  ///< octets of a payload, the stamp included
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
  std::vector<std::string> sources{};  ///< addresses to connect from, in turn

  [[nodiscard]] bool open_loop() const { return rate > 0; }
  [[nodiscard]] std::uint32_t clients() const { return publishers + subscribers; }
  /// How many topics there are; publisher p writes to topic p modulo that.
  [[nodiscard]] std::uint32_t topics() const;
  [[nodiscard]] bool receives(std::uint32_t subscriber, std::uint32_t publisher) const;
  /// How many subscribers receive what the publisher sends.
  [[nodiscard]] std::uint32_t receivers_of(std::uint32_t publisher) const;
  /// Of `count`, what one publisher sends; without a count there is no limit.
  [[nodiscard]] std::uint64_t limit_of(std::uint32_t publisher) const;
  /// From the common start to where no message is due any more.
  [[nodiscard]] mqtt::Duration length() const { return warmup + duration; }
};

struct Preset {
  std::string_view what;
  Scenario scenario;
};

[[nodiscard]] std::span<const Preset> presets();
/// Null if there is none of this name.
[[nodiscard]] const Preset* find_preset(std::string_view name);

}  // namespace mq::bench
