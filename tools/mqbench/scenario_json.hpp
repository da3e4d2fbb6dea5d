#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "common/json_writer.hpp"
#include "mqbench/scenario.hpp"

namespace mq::bench {

/// The object that a result has as `scenario`, and that a scenario file is.
void write_scenario(JsonWriter& json, const Scenario& scenario);

/// The same with a line per key, for a file that somebody will change.
[[nodiscard]] std::string scenario_file(const Scenario& scenario);

/// The same for the same scenario, in whichever process and shard: where each connects from and to is its
/// own.
[[nodiscard]] std::uint64_t hash_of(Scenario scenario);

/// One JSON object with the keys that write_scenario() writes; what it leaves out is as in the preset that
/// its key `preset` names, or in a default Scenario. The error is a sentence: "PATH:LINE: KEY: ...".
[[nodiscard]] std::expected<Scenario, std::string> parse_scenario(std::string_view text,
                                                                  const std::string& path);
[[nodiscard]] std::expected<Scenario, std::string> read_scenario(const std::string& path);

}  // namespace mq::bench
