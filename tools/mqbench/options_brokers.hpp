#pragma once
#include <optional>
#include <string>

#include "common/options.hpp"
#include "mqbench/options.hpp"

namespace mq::bench {

/// The brokers of a cluster. `typed` must outlive parsing.
void declare_broker_options(Options& options, BenchConfig::Typed& typed);

/// Makes the scenario and the options agree on the brokers: what is typed comes before what the scenario's
/// file says, and that before variables and profiles.
void override_brokers(const Options& options, BenchConfig& config);

/// The same for properties: those of a packet that -D names are all its own, the others are the file's. A
/// sentence if an option does not go with those.
[[nodiscard]] std::optional<std::string> override_properties(BenchConfig& config);

}  // namespace mq::bench
