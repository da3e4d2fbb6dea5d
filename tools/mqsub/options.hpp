#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/time.hpp>

#include "common/connect_options.hpp"
#include "common/message_format.hpp"
#include "common/options.hpp"

namespace mq {

enum class SubOutput : std::uint8_t { plain, json, json_parsed };

struct SubConfig {
  ConnectionConfig connection;
  std::vector<std::string> filters;
  mqtt::SubscriptionOptions subscription;  ///< of all filters
  SubOutput output = SubOutput::plain;
  bool with_topic = false;                 ///< -v
  bool no_separator = false;               ///< -N
  bool skip_retained = false;              ///< -R
  bool allow_partial = false;              ///< some filters may be refused
  std::optional<std::uint64_t> count;      ///< -C
  std::optional<mqtt::Duration> deadline;  ///< -W
};

[[nodiscard]] Program mqsub_program();
/// `config` must outlive parsing.
void declare_sub_options(Options& options, SubConfig& config);

}  // namespace mq
