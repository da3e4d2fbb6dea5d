#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/util/time.hpp>

namespace mq::bench {

/// The machine that ran it, as far as it explains numbers. Empty is not known.
struct Machine {
  std::string host;
  std::string kernel;
  std::string cpu;
  unsigned processors = 0;
  std::string allowed_processors;  ///< those that this process may use: "0-3"
  std::string clock_source;
  std::string governor;
  std::optional<bool> sibling_threads;  ///< processors share their cores (SMT)
  std::optional<double> cpu_quota;      ///< of the control group: so many processors, 1.5 for instance
};

[[nodiscard]] Machine this_machine(const std::string& root = "/");

/// Processors that a process may use; "" if it is not readable.
[[nodiscard]] std::string allowed_processors(const std::string& root, std::string_view process);

/// What the kernel had counted at one moment: of the whole machine, but for what says otherwise.
struct SystemCounters {
  std::uint64_t throttled_periods = 0;  ///< of the control group
  mqtt::Duration throttled{};           ///< of the control group, over all of its threads
  std::uint64_t stolen_ticks = 0;       ///< for which the hypervisor ran something else
  std::uint64_t ticks = 0;
  std::vector<std::uint64_t> receptions;  ///< NET_RX soft interrupts by processor
};

[[nodiscard]] SystemCounters read_system(const std::string& root = "/");

/// From one moment to another.
struct SystemActivity {
  std::uint64_t throttled_periods = 0;
  mqtt::Duration throttled{};
  double stolen = 0;                        ///< share of all processors' time
  std::optional<double> busiest_reception;  ///< share of the processor that took most packets
};

[[nodiscard]] SystemActivity between(const SystemCounters& begin, const SystemCounters& end);

}  // namespace mq::bench
