#pragma once
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <mqtt/auth/jwt.hpp>
#include <mqtt/broker/access.hpp>

namespace mqtt::auth {

/// Lets in who shows a JSON Web Token, as password or by the authentication method "JWT" or "OAUTH2-JWT",
/// until that token ends; by the method a client may show its next one before. Others are asked about
/// everybody else.
class TokenUsers final : public broker::Authenticator {
 public:
  /// Seconds since 1970.
  using Clock = std::function<double()>;

  /// `others` must outlive it.
  TokenUsers(std::vector<JwtKey> keys, JwtRules rules, Clock clock, broker::Authenticator& others)
      : check_{std::make_shared<const std::vector<JwtKey>>(std::move(keys)), std::move(rules),
               std::move(clock)},
        others_{others} {}

  /// For tokens from now on.
  void replace(std::vector<JwtKey> keys) {
    check_.keys = std::make_shared<const std::vector<JwtKey>>(std::move(keys));
  }

  broker::AuthDecision authenticate(const ConnectView& connect, const broker::ConnectionInfo& info) override;
  std::unique_ptr<broker::AuthExchange> begin(std::string_view method, std::string_view client_id) override;

  /// What it takes to judge a token.
  struct Check {
    std::shared_ptr<const std::vector<JwtKey>> keys;
    JwtRules rules;
    Clock clock;

    /// `refusal`: for a token that is none.
    [[nodiscard]] broker::AuthDecision operator()(std::string_view token, std::string_view client_id,
                                                  ReasonCode refusal) const;
  };

 private:
  Check check_;
  broker::Authenticator& others_;
};

}  // namespace mqtt::auth
