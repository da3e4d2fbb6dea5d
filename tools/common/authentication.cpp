#include "common/authentication.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include <mqtt/net/crypto.hpp>
#include <mqtt/session/saslprep.hpp>
#include <mqtt/session/scram_mechanism.hpp>
#include <mqtt/util/base64.hpp>

#include "common/token_source.hpp"

namespace mq {
namespace {

using Added = std::expected<void, SetupFailure>;

Added add_scram(mqtt::ClientOptions& options, const Authentication& authentication, std::string password) {
  const std::string& user = *authentication.scram_user;
  for (const auto& [text, what] :
       {std::pair{&user, "the user name"}, std::pair{&std::as_const(password), "the password"}})
    if (auto fine = mqtt::check_saslprep(*text, what); !fine)
      return std::unexpected(SetupFailure{ExitCode::usage, fine.error().context});
  options.mechanism =
      std::make_shared<mqtt::ScramMechanism>(*authentication.method, user, std::move(password), scram_nonce);
  return {};
}

Added add_token(mqtt::ClientOptions& options, const Authentication& authentication) {
  auto text = fetch_secret(authentication.token, "token");
  if (!text) return std::unexpected(text.error());
  auto token = make_token(std::move(*text).value_or(""), authentication.token_lifetime,
                          std::chrono::system_clock::now());
  if (!token) return std::unexpected(SetupFailure{ExitCode::local_io, token.error().context});
  std::shared_ptr<mqtt::FixedMechanism> mechanism;
  if (authentication.method)
    mechanism = std::make_shared<mqtt::FixedMechanism>(*authentication.method, token->text);
  else
    options.connect.password = token->text;
  options.mechanism = mechanism;
  // A variable stays as it is, and nobody may be there to type.
  if (authentication.token.file || authentication.token.command)
    options.token = mqtt::RenewableToken{
        std::make_shared<TokenSource>(authentication.token, authentication.token_lifetime), std::move(*token),
        mechanism};
  return {};
}

}  // namespace

std::string scram_nonce() {
  std::array<std::uint8_t, 18> random{};
  mqtt::net::fill_random(random);
  return mqtt::to_base64(random);
}

std::expected<std::optional<std::string>, SetupFailure> fetch_secret(const SecretSource& source,
                                                                     std::string_view what) {
  auto value = resolve_secret(source, what);
  if (!value) return std::unexpected(SetupFailure{ExitCode::local_io, value.error().context});
  return std::move(*value);
}

Added add_credentials(mqtt::ClientOptions& options, const ConnectionConfig& config) {
  const Authentication& authentication = config.authentication;
  if (authentication.token.given()) return add_token(options, authentication);
  auto password = fetch_secret(config.password, "password");
  if (!password) return std::unexpected(password.error());
  if (authentication.scram_user) return add_scram(options, authentication, std::move(*password).value_or(""));
  options.connect.password = std::move(*password);
  if (authentication.method)
    options.mechanism =
        std::make_shared<mqtt::FixedMechanism>(*authentication.method, authentication.data.value_or(""));
  return {};
}

}  // namespace mq
