#pragma once
#include <expected>
#include <string>

#include <mqtt/client/client.hpp>

#include "common/connect_options.hpp"
#include "common/exit_code.hpp"
#include "common/sentences.hpp"

namespace mq {

/// A client as the options ask for it.
struct ClientSetup {
  mqtt::ClientOptions options;
  /// The session only outlives connections so that a reconnect loses nothing: the last DISCONNECT
  /// should end it.
  bool ends_session = false;
};

struct SetupFailure {
  ExitCode code = ExitCode::usage;
  Sentence sentence;
};

/// Loads certificates and keys, fetches secrets (which may run a command or ask a person) and makes
/// up a client id where none is given. `program` begins that id.
[[nodiscard]] std::expected<ClientSetup, SetupFailure> make_client_setup(const ConnectionConfig& config,
                                                                         std::string_view program);

/// For sentences about the connection of `setup`.
[[nodiscard]] Where where_of(const ConnectionConfig& config, const ClientSetup& setup);

}  // namespace mq
