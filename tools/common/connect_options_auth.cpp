// MQTT 5 enhanced authentication and tokens.
#include <fmt/format.h>

#include <mqtt/session/scram.hpp>
#include <mqtt/util/text.hpp>

#include "common/connect_parts.hpp"
#include "common/property_options.hpp"
#include "common/secret_options.hpp"
#include "common/spelling.hpp"

namespace mq::detail {
namespace {

using mqtt::PropertyId;
using Fault = std::optional<std::string>;

constexpr std::string_view scram_names = "SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512";

bool is_scram(std::string_view method) {
  constexpr std::string_view family = "SCRAM-";
  return mqtt::equal_ignoring_case(method.substr(0, family.size()), family);
}

ValueResult keep_method(Authentication& authentication, std::string_view value) {
  if (value.empty()) return std::unexpected("the name is empty");
  if (value.ends_with("-PLUS") && is_scram(value))
    return std::unexpected(
        fmt::format("{} is SCRAM with channel binding, which is not supported", in_quotes(value)));
  if (is_scram(value) && !mqtt::find_scram_hash(value))
    return std::unexpected(fmt::format("{} is not one of {}", in_quotes(value), scram_names));
  authentication.method = value;
  return {};
}

ValueResult keep_data(Authentication& authentication, std::string_view value) {
  auto data = binary_value(value);
  if (!data && value.starts_with(base64_prefix))
    return std::unexpected("what follows 'base64:' is not base64");
  if (!data) return std::unexpected(std::move(data.error()));
  authentication.data = std::move(*data);
  return {};
}

Fault clash_with_properties(const ConnectionConfig& config) {
  const mqtt::PropertiesView connect = config.properties.at(mqtt::PropertyPlace::connect);
  if (config.authentication.method && connect.find(PropertyId::authentication_method))
    return "options '--auth-method' or '--scram-user' and '-D' both give the authentication method";
  if (config.authentication.method && connect.find(PropertyId::authentication_data))
    return "option '-D' gives authentication data beside that of the authentication method";
  return std::nullopt;
}

Fault join_scram(ConnectionConfig& config) {
  Authentication& authentication = config.authentication;
  if (authentication.data || authentication.token.given())
    return fmt::format("SCRAM makes its own authentication data: leave '{}' out",
                       authentication.data ? "--auth-data" : "--token-...");
  if (!authentication.scram_user) authentication.scram_user = config.user_name;
  if (!authentication.scram_user || authentication.scram_user->empty())
    return "SCRAM needs a user name: --scram-user or -u";
  if (!config.password.given()) return "SCRAM needs a password, such as from --password-file";
  return std::nullopt;
}

}  // namespace

void declare_authentication_options(Options& o, ConnectionConfig& c) {
  constexpr std::string_view group = "Credentials";
  Authentication& authentication = c.authentication;
  o.parsed("--auth-method",
           [&authentication](std::string_view value) { return keep_method(authentication, value); })
      .metavar("NAME")
      .group(group)
      .text(fmt::format(
          "authenticate by this method of MQTT 5: {}, or another one that has all its data in one "
          "piece",
          scram_names))
      .example("--auth-method OAUTH2-JWT --token-file token");
  o.parsed("--auth-data",
           [&authentication](std::string_view value) { return keep_data(authentication, value); })
      .metavar("DATA")
      .group(group)
      .text("the method's data: text, base64:TEXT or @FILE")
      .needs({"--auth-method"})
      .secret();
  o.text("--scram-user", authentication.scram_user)
      .metavar("NAME")
      .group(group)
      .default_text("that of -u")
      .text(
          "authenticate by SCRAM (SCRAM-SHA-256 without --auth-method) as this user, with the password, "
          "which "
          "is not sent");
  const std::vector<std::string> instead{"--password",     "--password-file",   "--password-env",
                                         "--password-cmd", "--password-prompt", "--auth-data"};
  declare_secret_options(o, authentication.token, "--token",
                         "a token, which is sent as the password, or with --auth-method as its data,", group,
                         instead);
  o.duration("--token-lifetime", authentication.token_lifetime)
      .group(group)
      .text(
          "how long the token is good, if it does not say so itself (a JWT does): a new one is fetched "
          "before");
}

std::optional<std::string> join_authentication(const Options& options, ConnectionConfig& config) {
  Authentication& authentication = config.authentication;
  if (authentication.token_lifetime && !authentication.token.given())
    return "option '--token-lifetime' needs a token, such as from --token-file";
  if (authentication.token_lifetime && authentication.token_lifetime->count() == 0)
    return "option '--token-lifetime': a token that is good for 0s is good for nothing";
  if (authentication.scram_user && !authentication.method) authentication.method = "SCRAM-SHA-256";
  if (auto fault = clash_with_properties(config)) return fault;
  if (!authentication.method) return std::nullopt;
  if (is_scram(*authentication.method)) return join_scram(config);
  if (options.given("--scram-user"))
    return fmt::format(
        "option '--scram-user' needs a method of SCRAM, but option '--auth-method' asks for {}",
        in_quotes(*authentication.method));
  return std::nullopt;
}

}  // namespace mq::detail
