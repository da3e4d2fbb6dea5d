#include <mqtt/session/auth_mechanism.hpp>

#include <fmt/format.h>

#include <mqtt/session/scram_mechanism.hpp>

namespace mqtt {

Result<std::string> FixedMechanism::answer(std::string_view) {
  return fail(
      ErrorDomain::authentication, 0,
      fmt::format("the server wants another step of the authentication method '{}', which is not known "
                  "here",
                  method_));
}

ScramMechanism::ScramMechanism(std::string method, std::string user, std::string password, Nonce nonce)
    : method_{std::move(method)},
      user_{std::move(user)},
      password_{std::move(password)},
      nonce_{std::move(nonce)} {}

std::string ScramMechanism::begin() {
  exchange_.emplace(find_scram_hash(method_).value_or(ScramHash::sha256), user_, password_, nonce_());
  return exchange_->first();
}

std::unique_ptr<AuthMechanism> ScramMechanism::for_another_client() const {
  return std::make_unique<ScramMechanism>(method_, user_, password_, nonce_);
}

Result<std::string> ScramMechanism::answer(std::string_view data) { return exchange_->answer(data); }

Result<void> ScramMechanism::finish(std::string_view data) { return exchange_->finish(data); }

}  // namespace mqtt
