#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "common/connect_options.hpp"
#include "common/sentences.hpp"
#include "mqbench/brokers.hpp"
#include "mqbench/scenario.hpp"

namespace mq::bench {

/// What the machine has to give to a run.
struct Resources {
  std::uint64_t descriptors = 0;
  std::uint64_t ports = 0;  ///< ephemeral ones, for each source address

  /// Raises the soft limit of descriptors to the hard one first.
  [[nodiscard]] static Resources of_this_process();
};

/// Why a scenario cannot run with these, before anything is connected.
[[nodiscard]] std::optional<Sentence> find_shortage(const Scenario& scenario, const BrokerList& brokers,
                                                    const ConnectionConfig& connection, unsigned threads,
                                                    const Resources& resources);

}  // namespace mq::bench
