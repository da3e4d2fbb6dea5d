#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/time.hpp>

#include "common/connect_options.hpp"
#include "common/options.hpp"
#include "messages/output_options.hpp"

namespace mq {

struct ReqConfig {
  ConnectionConfig connection;
  std::string topic;           ///< of the request
  std::string response_topic;  ///< empty: to be made up, with MQTT 5 only
  mqtt::QoS qos = mqtt::QoS::at_most_once;
  bool retain_as_published = false;
  std::string message;                     ///< the payload, unless it is in `file`
  std::optional<std::string> file;         ///< "-" is standard input
  std::uint64_t replies = 1;               ///< --replies
  std::optional<mqtt::Duration> deadline;  ///< -W, from the start; 0: none. Without: default_wait
  OutputConfig output;

  /// As the options were typed, before they are joined.
  struct Typed {
    std::optional<std::string> topic;
    std::optional<std::string> response_topic;
    std::optional<std::string> message;
    bool whole_input = false;
    bool empty = false;
  };
  Typed typed;
};

/// How long to wait, from the connection on, without -W.
inline constexpr mqtt::Duration default_wait = std::chrono::seconds{10};

[[nodiscard]] Program mqreq_program();
/// `config` must outlive parsing.
void declare_req_options(Options& options, ReqConfig& config);

}  // namespace mq
