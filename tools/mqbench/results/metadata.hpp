#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mqbench/results/stored_result.hpp"

namespace mq::bench::results {

/// What runs that are compared should have alike; but for the broker, which may be what is compared.
enum class Circumstance : std::uint8_t { scenario, machine, kernel, protocol, tool, broker };

[[nodiscard]] std::string_view to_string(Circumstance circumstance);

/// Something that is not the same in all results.
struct Difference {
  Circumstance circumstance;
  std::string name;                 ///< "machine.cpu"
  std::vector<std::string> values;  ///< in the order of the results, each once; "none" where there is none
};

/// In order of circumstances. The seed is none: repeated runs may have one of their own each.
[[nodiscard]] std::vector<Difference> find_differences(std::span<const StoredResult* const> results);

/// "machine.kernel (Linux 6.1.0-18, Linux 6.1.0-21)"
[[nodiscard]] std::string describe(const Difference& difference);

}  // namespace mq::bench::results
