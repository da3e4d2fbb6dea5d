#include <mqtt/auth/token_users.hpp>

#include <algorithm>
#include <chrono>
#include <string>

#include <mqtt/util/bytes.hpp>

namespace mqtt::auth {
namespace {

/// The token is all that there is to say.
class TokenExchange final : public broker::AuthExchange {
 public:
  TokenExchange(TokenUsers::Check check, std::string_view client_id)
      : check_{std::move(check)}, client_id_{client_id} {}

  broker::AuthDecision step(std::string_view data) override {
    return check_(data, client_id_, ReasonCode::not_authorized);
  }

 private:
  TokenUsers::Check check_;
  std::string client_id_;
};

/// What is further away does not fit.
Duration duration_of(double seconds) {
  constexpr double thirty_years = 1e9;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>{std::min(seconds, thirty_years)});
}

}  // namespace

broker::AuthDecision TokenUsers::Check::operator()(std::string_view token, std::string_view client_id,
                                                   ReasonCode refusal) const {
  const double now = clock();
  auto grant = check_jwt(token, *keys, rules, client_id, now);
  if (!grant)
    return broker::AuthDecision::refused(refusal);  // why is nothing that somebody who tries should learn
  broker::AuthDecision decision = broker::AuthDecision::allowed(std::move(grant->user));
  decision.lasts = duration_of(grant->ends - now);
  return decision;
}

broker::AuthDecision TokenUsers::authenticate(const ConnectView& connect,
                                              const broker::ConnectionInfo& info) {
  const std::string_view password = as_text(connect.password.value_or(Bytes{}));
  if (!looks_like_jwt(password)) return others_.authenticate(connect, info);
  return check_(password, connect.client_id, ReasonCode::bad_user_name_or_password);
}

std::unique_ptr<broker::AuthExchange> TokenUsers::begin(std::string_view method, std::string_view client_id) {
  if (method != "JWT" && method != "OAUTH2-JWT") return others_.begin(method, client_id);
  return std::make_unique<TokenExchange>(check_, client_id);
}

}  // namespace mqtt::auth
