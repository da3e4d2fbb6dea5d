#pragma once
#include <string>

#include "common/json_writer.hpp"
#include "mqbroker/broker_facts.hpp"

namespace mq {

/// The broker's numbers in the text format of Prometheus. Times are seconds, sizes bytes.
[[nodiscard]] std::string metrics_text(const BrokerFacts& facts);

/// The members that the log's statistics and the status page have in common, `messages_dropped` of all
/// reasons among them.
void write_counters(JsonWriter& json, const mqtt::broker::Counters& counters,
                    const mqtt::server::ServerCounters& server);

}  // namespace mq
