#pragma once
#include <functional>
#include <optional>
#include <string>

#include <mqtt/session/auth_mechanism.hpp>
#include <mqtt/session/scram.hpp>

namespace mqtt {

/// SCRAM as a method of enhanced authentication. CONNECT and our AUTH carry the client's two messages, the
/// server's AUTH its first; its last, which proves that it knows the password too, comes with CONNACK, or
/// with the AUTH that ends a re-authentication.
class ScramMechanism final : public AuthMechanism {
 public:
  /// Makes a nonce for each exchange: random, printable ASCII without comma.
  using Nonce = std::function<std::string()>;

  /// `method` must have a hash (find_scram_hash); `user` and `password` must have passed check_saslprep().
  ScramMechanism(std::string method, std::string user, std::string password, Nonce nonce);

  std::string_view method() const override { return method_; }
  std::string begin() override;
  Result<std::string> answer(std::string_view data) override;
  Result<void> finish(std::string_view data) override;
  std::unique_ptr<AuthMechanism> for_another_client() const override;

 private:
  std::string method_;
  std::string user_;
  std::string password_;
  Nonce nonce_;
  std::optional<ScramClient> exchange_;
};

}  // namespace mqtt
