#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/time.hpp>

#include "common/connect_options.hpp"
#include "common/options.hpp"

namespace mq {

/// Where mqpub's payloads come from.
enum class PayloadSource : std::uint8_t {
  message,      ///< -m
  file,         ///< -f
  whole_input,  ///< -s: all of standard input is one message
  lines,        ///< -l: each line of standard input is one
  empty,        ///< -n
};

struct PubConfig {
  ConnectionConfig connection;
  std::string topic;
  mqtt::QoS qos = mqtt::QoS::at_most_once;
  bool retain = false;
  PayloadSource source = PayloadSource::message;
  std::string message;
  std::vector<std::string> files;  ///< each is a message
  std::uint64_t repeat = 1;
  mqtt::Duration repeat_delay{};
  bool confirm = false;                    ///< a PINGRESP behind the last QoS 0 message
  std::optional<mqtt::Duration> deadline;  ///< -W
};

/// The values as they are typed, before source is known.
struct PubTyped {
  std::optional<std::string> topic;
  std::optional<std::string> message;
  bool whole_input = false;
  bool lines = false;
  bool empty = false;
};

[[nodiscard]] Program mqpub_program();
/// Both must outlive parsing.
void declare_pub_options(Options& options, PubConfig& config, PubTyped& typed);

}  // namespace mq
