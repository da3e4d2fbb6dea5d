#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <mqtt/auth/password_file.hpp>
#include <mqtt/broker/access.hpp>

namespace mqtt::auth {

/// Lets in who has a password of the file: by user name and password, or by SCRAM, with which the password
/// is not sent. A password that is shown is checked beside the loop.
class PasswordUsers final : public broker::Authenticator {
 public:
  /// `anonymous_listeners`: where clients without user name may come in, too. `nonce`: as ScramServer wants
  /// it.
  PasswordUsers(PasswordFile file, std::vector<std::string> anonymous_listeners,
                std::function<std::string()> nonce)
      : file_{std::make_shared<const PasswordFile>(std::move(file))},
        anonymous_listeners_{std::move(anonymous_listeners)},
        nonce_{std::move(nonce)} {}

  /// For logins that begin from now on.
  void replace(PasswordFile file) { file_ = std::make_shared<const PasswordFile>(std::move(file)); }

  broker::AuthDecision authenticate(const ConnectView& connect, const broker::ConnectionInfo& info) override;
  std::unique_ptr<broker::AuthExchange> begin(std::string_view method, std::string_view client_id) override;

 private:
  std::shared_ptr<const PasswordFile> file_;  // shared with exchanges under way
  std::vector<std::string> anonymous_listeners_;
  std::function<std::string()> nonce_;
};

}  // namespace mqtt::auth
