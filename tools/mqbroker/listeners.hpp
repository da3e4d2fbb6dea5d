#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mqtt/broker/access.hpp>
#include <mqtt/server/server.hpp>

#include "mqbroker/listener_settings.hpp"

namespace mq {

/// A hundred thousand users.
inline constexpr std::size_t password_file_max_bytes = 16 * 1024 * 1024;

/// What the server is to listen on, one for each of `settings` and in their order: certificates are loaded,
/// passwords of keys asked for. An error is a finished sentence.
[[nodiscard]] std::expected<std::vector<mqtt::server::ListenerConfig>, std::string> make_listeners(
    const std::vector<ListenerSettings>& settings);

/// Where a listener says so, the user name is that of the certificate. Elsewhere, and of clients without one,
/// `passwords` decide; without those everybody gets in, with the user name that he says, or anonymous.
class CertificateUsers final : public mqtt::broker::Authenticator {
 public:
  /// A listener whose clients are named by their certificates.
  struct Named {
    std::string listener;
    mqtt::net::ClientCertificates certificates;
  };

  explicit CertificateUsers(std::vector<Named> named,
                            std::unique_ptr<mqtt::broker::Authenticator> passwords = nullptr)
      : named_{std::move(named)}, passwords_{std::move(passwords)} {}

  mqtt::broker::AuthDecision authenticate(const mqtt::ConnectView& connect,
                                          const mqtt::broker::ConnectionInfo& info) override;
  std::unique_ptr<mqtt::broker::AuthExchange> begin(std::string_view method,
                                                    std::string_view client_id) override;

 private:
  std::vector<Named> named_;
  std::unique_ptr<mqtt::broker::Authenticator> passwords_;
};

/// Those of a --password-file, for listeners that were made from `settings`; null if there is none. An error
/// is a finished sentence.
[[nodiscard]] std::expected<std::unique_ptr<mqtt::broker::Authenticator>, std::string> make_passwords(
    const std::optional<std::string>& file, const std::vector<ListenerSettings>& settings,
    const std::vector<mqtt::server::ListenerConfig>& listeners);

/// Of listeners that were made from `settings`.
[[nodiscard]] std::vector<CertificateUsers::Named> find_named(
    const std::vector<ListenerSettings>& settings,
    const std::vector<mqtt::server::ListenerConfig>& listeners);

}  // namespace mq
