#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/property.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/time.hpp>

#include "mqbench/brokers.hpp"
#include "mqbench/scenario.hpp"
#include "mqbench/schedule.hpp"
#include "mqbench/shard.hpp"
#include "mqbench/stamp.hpp"

namespace mq::bench {

/// A scenario made concrete: what all workers share, and nobody changes while they run.
struct Plan {
  Scenario scenario;
  std::uint32_t run = 0;  ///< of Stamp::run
  Shard shard{};          ///< the part of it that this process has
  LoadPattern load;
  std::string client_prefix;
  BrokerList brokers;
  mqtt::Properties publish_properties;
  mqtt::Properties subscribe_properties;
  std::vector<std::uint8_t> payload;  ///< of the longest: the stamp's place, then what all messages share

  /// Of this process, of all that the scenario has.
  [[nodiscard]] std::uint32_t clients() const {
    return shard.part_of(scenario.publishers) + shard.part_of(scenario.subscribers);
  }
  /// By number in the scenario: subscribers come first.
  [[nodiscard]] std::string client_id_of(std::uint32_t client) const;
  /// The address that it connects from; empty: the system's choice.
  [[nodiscard]] std::string_view source_of(std::uint32_t client) const;
  /// The number of the broker that this client of clients() has.
  [[nodiscard]] std::uint32_t broker_of(std::uint32_t client) const {
    return brokers_for(client)[place_of(client) % brokers_for(client).size()];
  }
  /// Those that clients of its kind take in turn.
  [[nodiscard]] const std::vector<std::uint32_t>& brokers_for(std::uint32_t client) const {
    return client < scenario.subscribers ? brokers.subscribe_from : brokers.publish_to;
  }
  /// Among the clients of its kind.
  [[nodiscard]] std::uint32_t place_of(std::uint32_t client) const {
    return client < scenario.subscribers ? client : client - scenario.subscribers;
  }
  /// Of the stream's messages.
  [[nodiscard]] std::string topic_of(std::uint32_t stream) const;
  [[nodiscard]] std::vector<std::string> filters_of(std::uint32_t subscriber) const;
  /// Of one publisher's own: where its answers go, and no subscriber listens.
  [[nodiscard]] std::string reply_topic(std::uint32_t publisher) const;
  /// Whether a payload without a stamp could be one of the run's.
  [[nodiscard]] bool is_unstamped(mqtt::Bytes bytes) const {
    return bytes.size() >= scenario.size.min() && bytes.size() <= scenario.size.max() &&
           mqtt::equal(bytes, mqtt::Bytes{payload}.first(bytes.size()));
  }
  /// Bytes of one message's payload, unless they vary by a template.
  [[nodiscard]] std::size_t size_of(std::uint32_t stream, std::uint64_t sequence) const {
    return scenario.payload.text().empty() ? scenario.size.of(scenario.seed, stream, sequence)
                                           : payload.size();
  }
  /// A template's bytes are not known to who receives them: the stamp's CRC covers them.
  [[nodiscard]] Covered covered() const {
    return scenario.payload.varies() ? Covered::payload : Covered::stamp;
  }
  /// Whether a message that was due then counts for the latencies.
  [[nodiscard]] bool measures(mqtt::Duration since_start) const {
    return since_start >= scenario.warmup && since_start < scenario.length();
  }
};

/// Without properties.
[[nodiscard]] Plan make_plan(const Scenario& scenario, std::uint32_t run, std::string client_prefix);

}  // namespace mq::bench
