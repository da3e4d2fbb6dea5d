#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <mqtt/client/endpoint.hpp>

#include "common/connect_options.hpp"

namespace mq::bench {

/// Which brokers a run has, and whose they are. Number 0 is the one of the connection options; the others
/// are the same but for their URLs.
struct BrokerList {
  std::vector<mqtt::Endpoint> urls;          ///< of numbers 1 and above
  std::vector<std::uint32_t> publish_to{0};  ///< numbers; clients take them in turn
  std::vector<std::uint32_t> subscribe_from{0};

  [[nodiscard]] std::vector<ConnectionConfig> connections(const ConnectionConfig& first) const;
  /// Of those that are used: "a:1883, b:1883".
  [[nodiscard]] std::string where(const ConnectionConfig& first) const;
  [[nodiscard]] bool uses(std::uint32_t broker) const;
  /// Of the publisher or subscriber with this number.
  [[nodiscard]] std::uint32_t of_publisher(std::uint32_t n) const {
    return publish_to[n % publish_to.size()];
  }
  [[nodiscard]] std::uint32_t of_subscriber(std::uint32_t n) const {
    return subscribe_from[n % subscribe_from.size()];
  }
};

}  // namespace mq::bench
