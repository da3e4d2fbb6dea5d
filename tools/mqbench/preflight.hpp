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
  /// Connections that a listener on this machine lets wait (net.core.somaxconn); 0 is not known.
  std::uint64_t backlog = 0;

  /// Raises the soft limit of descriptors to the hard one first.
  [[nodiscard]] static Resources of_this_process();
};

/// Why a scenario cannot run with these, before anything is connected.
[[nodiscard]] std::optional<Sentence> find_shortage(const Scenario& scenario, const BrokerList& brokers,
                                                    const ConnectionConfig& connection, unsigned threads,
                                                    const Resources& resources);

/// The first of the source addresses that this machine does not have. It would be every n-th connection that
/// fails.
[[nodiscard]] std::optional<Sentence> find_foreign_source(const Scenario& scenario);

/// What may keep connections waiting, but is no reason not to run: it is the broker's machine that has the
/// limit, and a broker that is quick enough never comes to it.
[[nodiscard]] std::optional<Sentence> find_crowding(const Scenario& scenario, const Resources& resources);

}  // namespace mq::bench
