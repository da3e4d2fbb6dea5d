#pragma once
#include <cstdint>
#include <string_view>

#include <mqtt/client/ending.hpp>
#include <mqtt/codec/reason.hpp>
#include <mqtt/util/error.hpp>

namespace mq {

/// How every tool ends. Scripts depend on the numbers: they never change their meaning.
enum class ExitCode : std::uint8_t {
  ok = 0,                  ///< done, goal met
  internal = 1,            ///< a fault of ours
  usage = 2,               ///< usage or configuration
  resolve = 3,             ///< name resolution or proxy
  connect = 4,             ///< TCP, unix or WebSocket connect
  tls = 5,                 ///< TLS, verification included
  not_authorized = 6,      ///< CONNACK: bad credentials, not authorized
  refused = 7,             ///< CONNACK: any other refusal; connect timeout
  connection_lost = 8,     ///< lost or closed before done
  deadline = 9,            ///< deadline reached with a goal unmet
  publish_rejected = 10,   ///< reason >= 0x80, or unacknowledged at exit
  subscribe_refused = 11,  ///< any filter
  protocol_error = 12,     ///< malformed data from the peer
  expectation = 13,        ///< expectation, threshold or lint failed
  local_io = 14,           ///< file, stdout, spool, database
  interrupted = 130,       ///< SIGINT
  terminated = 143,        ///< SIGTERM
};

[[nodiscard]] constexpr int to_int(ExitCode code) { return static_cast<int>(code); }

/// A short name for reports: "connection-lost".
[[nodiscard]] std::string_view to_string(ExitCode code);

/// What was being done when an Error came up: the same errno means different things to a script.
enum class Stage : std::uint8_t { connecting, running, publishing, subscribing, local_io };

[[nodiscard]] ExitCode exit_code_for(const mqtt::Error& error, Stage stage);
/// For a CONNACK with an error.
[[nodiscard]] ExitCode exit_code_for_refusal(mqtt::ReasonCode code);
[[nodiscard]] ExitCode exit_code_for(const mqtt::Ending& ending);

}  // namespace mq
