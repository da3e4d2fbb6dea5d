#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/time.hpp>

#include "mqbench/size_pattern.hpp"

namespace mq::bench {

/// What is done to connections of ours, to see what becomes of messages.
enum class FaultKind : std::uint8_t {
  cut,         ///< reset, and back at once
  half_close,  ///< our direction ends without DISCONNECT; back when the broker has ended the other
  stall,       ///< nothing is read for a while
  resume,      ///< reset, and back after a while
};
inline constexpr std::size_t fault_kinds = 4;

/// "half-close"
[[nodiscard]] std::string_view to_string(FaultKind kind);
[[nodiscard]] std::optional<FaultKind> fault_named(std::string_view name);

/// What `verify` does.
struct VerifyScenario {
  /// QoS of messages and of subscriptions. Each pair has publishers, subscribers and topics of its own, and
  /// all of its subscribers take what all of its publishers send.
  struct Kind {
    mqtt::QoS publish;
    mqtt::QoS subscribe;

    /// What is promised from end to end (4.3, 3.8.4).
    [[nodiscard]] mqtt::QoS promised() const { return std::min(publish, subscribe); }
  };

  std::vector<Kind> kinds{{mqtt::QoS::at_most_once, mqtt::QoS::at_most_once},
                          {mqtt::QoS::at_least_once, mqtt::QoS::at_least_once},
                          {mqtt::QoS::exactly_once, mqtt::QoS::exactly_once}};
  std::uint32_t publishers = 2;    ///< of each kind
  std::uint32_t subscribers = 2;   ///< of each kind
  SizePattern size{};              ///< bytes of a payload, the stamp included
  double rate = 600;               ///< messages per second of all publishers
  std::uint64_t messages = 6'000;  ///< of all publishers
  mqtt::Duration late = std::chrono::seconds{1};
  mqtt::Duration drain = std::chrono::seconds{10};  ///< what nothing has come for so long ends
  std::uint64_t seed = 1;
  std::vector<FaultKind> faults{};
  double fault_rate = 5;                                       ///< per second, of all connections
  mqtt::Duration fault_time = std::chrono::milliseconds{500};  ///< how long stalls and absences last at most

  [[nodiscard]] std::uint32_t all_publishers() const {
    return publishers * static_cast<std::uint32_t>(kinds.size());
  }
  [[nodiscard]] std::uint32_t all_subscribers() const {
    return subscribers * static_cast<std::uint32_t>(kinds.size());
  }
  [[nodiscard]] const Kind& kind_of_publisher(std::uint32_t n) const { return kinds[n / publishers]; }
  [[nodiscard]] const Kind& kind_of_subscriber(std::uint32_t n) const { return kinds[n / subscribers]; }
  [[nodiscard]] bool receives(std::uint32_t subscriber, std::uint32_t publisher) const {
    return subscriber / subscribers == publisher / publishers;
  }
  /// Of `messages`, what publisher n sends.
  [[nodiscard]] std::uint64_t limit_of(std::uint32_t n) const {
    return (messages + all_publishers() - 1 - n) / all_publishers();
  }
};

/// When which fault comes, and where: at random, and the same for the same seed.
class FaultDice {
 public:
  /// `scenario` must outlive it.
  explicit FaultDice(const VerifyScenario& scenario) : scenario_{scenario}, random_{scenario.seed} {}

  /// From one fault to the next: exponentially distributed.
  [[nodiscard]] mqtt::Duration gap();
  [[nodiscard]] FaultKind kind();
  [[nodiscard]] std::size_t one_of(std::size_t count);
  /// How long it lasts: from half of fault_time to all of it.
  [[nodiscard]] mqtt::Duration length();

 private:
  const VerifyScenario& scenario_;
  std::mt19937_64 random_;
};

}  // namespace mq::bench
