#pragma once
#include <string>

#include "mqbroker/broker_facts.hpp"

namespace mq {

/// The broker's numbers in the text format of Prometheus. Times are seconds, sizes octets.
[[nodiscard]] std::string metrics_text(const BrokerFacts& facts);

}  // namespace mq
