#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mqtt/broker/access.hpp>
#include <mqtt/server/server.hpp>

#include "mqbroker/listener_settings.hpp"

namespace mq {

/// What the server is to listen on, one for each of `settings` and in their order: certificates are loaded,
/// passwords of keys asked for. An error is a finished sentence.
[[nodiscard]] std::expected<std::vector<mqtt::server::ListenerConfig>, std::string> make_listeners(
    const std::vector<ListenerSettings>& settings);

/// Lets everybody in; where a listener says so, the user name is that of the certificate, and a client
/// without one is anonymous.
class CertificateUsers final : public mqtt::broker::Authenticator {
 public:
  /// A listener whose clients are named by their certificates.
  struct Named {
    std::string listener;
    mqtt::net::ClientCertificates certificates;
  };

  explicit CertificateUsers(std::vector<Named> named) : named_{std::move(named)} {}

  mqtt::broker::AuthDecision authenticate(const mqtt::ConnectView& connect,
                                          const mqtt::broker::ConnectionInfo& info) override;
  std::unique_ptr<mqtt::broker::AuthExchange> begin(std::string_view method,
                                                    std::string_view client_id) override;

 private:
  std::vector<Named> named_;
};

/// Of listeners that were made from `settings`.
[[nodiscard]] std::vector<CertificateUsers::Named> find_named(
    const std::vector<ListenerSettings>& settings,
    const std::vector<mqtt::server::ListenerConfig>& listeners);

}  // namespace mq
