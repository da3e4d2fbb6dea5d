#pragma once
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/auth/jwt_keys.hpp>
#include <mqtt/auth/password_file.hpp>
#include <mqtt/broker/acl_file.hpp>
#include <mqtt/server/server.hpp>

#include "mqbroker/broker_log.hpp"
#include "mqbroker/options.hpp"

namespace mq {

/// What is read at the start, and again at SIGHUP.
struct Reloadable {
  std::vector<mqtt::server::ListenerConfig> listeners;  ///< of which only the certificates are used again
  std::optional<mqtt::auth::PasswordFile> passwords;    ///< of --password-file
  std::optional<std::vector<mqtt::auth::JwtKey>> token_keys;  ///< of --jwt-keys and --jwt-secret-file
  std::optional<mqtt::broker::AclFile> rules;                 ///< of --acl-file
  LogDetail log_detail = LogDetail::plain;
};

/// Reads the files that the options and listeners name, and how much to log from the configuration file
/// unless -v or -d was typed. Keys' passwords must be there already: with_key_passwords(). An error is a
/// finished sentence.
[[nodiscard]] std::expected<Reloadable, std::string> read_files(
    const BrokerSettings& settings, const std::vector<ListenerSettings>& listeners);

/// How much the options say is to be logged.
[[nodiscard]] LogDetail detail_of(bool verbose, bool debug);

}  // namespace mq
