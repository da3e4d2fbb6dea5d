#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mqtt/auth/jwt_keys.hpp>
#include <mqtt/auth/password_file.hpp>
#include <mqtt/broker/access.hpp>
#include <mqtt/broker/acl_file.hpp>
#include <mqtt/server/server.hpp>

#include "mqbroker/listener_settings.hpp"

namespace mq {

/// A hundred thousand users.
inline constexpr std::size_t password_file_max_bytes = 16 * 1024 * 1024;
inline constexpr std::size_t acl_file_max_bytes = 16 * 1024 * 1024;

/// The same with the passwords of keys, wherever they come from: commands are run and people asked, once. An
/// error is a finished sentence.
[[nodiscard]] std::expected<std::vector<ListenerSettings>, std::string> with_key_passwords(
    std::vector<ListenerSettings> settings);

/// What the server is to listen on, one for each of `settings` and in their order: certificates are loaded.
/// An error is a finished sentence.
[[nodiscard]] std::expected<std::vector<mqtt::server::ListenerConfig>, std::string> make_listeners(
    const std::vector<ListenerSettings>& settings);

/// Where a listener says so, the user name is that of the certificate, or the identity of a pre-shared key.
/// Elsewhere, and of clients with neither,
/// `passwords` decide; without those everybody gets in, with the user name that he says, or anonymous.
class CertificateUsers final : public mqtt::broker::Authenticator {
 public:
  /// A listener whose clients are named by their certificates or pre-shared keys.
  struct Named {
    std::string listener;
    mqtt::net::ClientCertificates certificates;
  };

  /// `passwords`, which may be null, must outlive it.
  explicit CertificateUsers(std::vector<Named> named, mqtt::broker::Authenticator* passwords = nullptr)
      : named_{std::move(named)}, passwords_{passwords} {}

  mqtt::broker::AuthDecision authenticate(const mqtt::ConnectView& connect,
                                          const mqtt::broker::ConnectionInfo& info) override;
  std::unique_ptr<mqtt::broker::AuthExchange> begin(std::string_view method,
                                                    std::string_view client_id) override;

 private:
  std::vector<Named> named_;
  mqtt::broker::Authenticator* passwords_;
};

/// Of a --password-file; nothing if there is none. An error is a finished sentence.
[[nodiscard]] std::expected<std::optional<mqtt::auth::PasswordFile>, std::string> read_passwords(
    const std::optional<std::string>& file);

/// Keys for tokens; nothing if none are asked for. An error is a finished sentence.
[[nodiscard]] std::expected<std::optional<std::vector<mqtt::auth::JwtKey>>, std::string> read_token_keys(
    const std::optional<std::string>& keys_file, const std::optional<std::string>& secret_file);

/// Names of the listeners, made from `settings`, that let clients without user name in.
[[nodiscard]] std::vector<std::string> find_anonymous(
    const std::vector<ListenerSettings>& settings,
    const std::vector<mqtt::server::ListenerConfig>& listeners);

/// Those of an --acl-file; nothing if there is none. An error is a finished sentence.
[[nodiscard]] std::expected<std::optional<mqtt::broker::AclFile>, std::string> read_rules(
    const std::optional<std::string>& file);

/// Of listeners that were made from `settings`.
[[nodiscard]] std::vector<CertificateUsers::Named> find_named(
    const std::vector<ListenerSettings>& settings,
    const std::vector<mqtt::server::ListenerConfig>& listeners);

}  // namespace mq
