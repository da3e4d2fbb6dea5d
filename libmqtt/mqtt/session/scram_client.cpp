#include <fmt/format.h>

#include <utility>

#include <mqtt/session/scram.hpp>
#include <mqtt/session/scram_message.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt {
namespace {

std::unexpected<Error> server_fault(std::string what) {
  return fail(ErrorDomain::authentication, 0, std::move(what));
}

struct ServerFirst {
  std::string_view nonce;
  std::string salt;
  std::uint32_t iterations = 0;
};

Result<std::uint32_t> parse_iterations(std::string_view text) {
  constexpr std::uint32_t least = ScramClient::iterations_min, most = ScramClient::iterations_max;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits || text.front() == '0')
    return server_fault("the server's SCRAM iteration count is not a number");
  const auto count = parse_number<std::uint32_t>(text);
  if (!count || *count > most)
    return server_fault(
        fmt::format("the server wants {} SCRAM iterations, more than the {} allowed here", text, most));
  if (*count < least)
    return server_fault(fmt::format(
        "the server wants {} SCRAM iterations: fewer than {} would lay the password open", text, least));
  return *count;
}

Result<ServerFirst> parse_server_first(std::string_view text) {
  if (text.starts_with("m=")) return server_fault("the server wants a SCRAM extension that is not supported");
  ScramMessage message{text};
  const auto nonce = message.take('r');
  if (!nonce || !is_scram_nonce(*nonce)) return server_fault("the server's SCRAM challenge has no nonce");
  auto salt = message.take_bytes('s');
  if (!salt) return server_fault("the server's SCRAM challenge has no salt in base64");
  const auto count = message.take('i');
  if (!count) return server_fault("the server's SCRAM challenge has no iteration count");
  if (!message.rest_is_extensions()) return server_fault("the server's SCRAM challenge ends in garbage");
  const auto iterations = parse_iterations(*count);
  if (!iterations) return std::unexpected(iterations.error());
  return ServerFirst{*nonce, std::move(*salt), *iterations};
}

}  // namespace

ScramClient::ScramClient(ScramHash hash, std::string_view user, std::string password, std::string nonce)
    : hash_{hash},
      password_{std::move(password)},
      nonce_{std::move(nonce)},
      first_bare_{fmt::format("n={},r={}", to_scram_name(user), nonce_)} {}

Result<std::string> ScramClient::answer(std::string_view server_first) {
  if (!server_signature_.empty())
    return server_fault("the server wants another answer after the last one of SCRAM");
  const auto challenge = parse_server_first(server_first);
  if (!challenge) return std::unexpected(challenge.error());
  if (!challenge->nonce.starts_with(nonce_) || challenge->nonce.size() == nonce_.size())
    return server_fault("the server's SCRAM challenge does not go on with our nonce: it is of another login");
  const std::string salted = salted_password(hash_, password_, challenge->salt, challenge->iterations);
  const std::string client_key = hmac(hash_, salted, "Client Key");
  // "biws": the header "n,," of our first message.
  const std::string without_proof = fmt::format("c=biws,r={}", challenge->nonce);
  const std::string signed_text = fmt::format("{},{},{}", first_bare_, server_first, without_proof);
  server_signature_ = hmac(hash_, hmac(hash_, salted, "Server Key"), signed_text);
  const std::string proof = exclusive_or(client_key, hmac(hash_, digest(hash_, client_key), signed_text));
  return fmt::format("{},p={}", without_proof, to_base64(as_bytes(proof)));
}

Result<void> ScramClient::finish(std::string_view server_final) {
  const std::string expected = std::exchange(server_signature_, {});
  if (expected.empty()) return server_fault("the server accepted the login before SCRAM was through");
  if (server_final.empty())
    return server_fault("the server accepted the login without proving that it knows the password");
  ScramMessage message{server_final};
  if (const auto fault = message.take('e'))
    return server_fault(fmt::format("the server ended SCRAM: {}", *fault));
  const auto signature = message.take_bytes('v');
  if (!signature || !message.rest_is_extensions())
    return server_fault("the server's last SCRAM message is malformed");
  if (equal_in_constant_time(*signature, expected)) return {};
  return server_fault("the server does not know the password: its SCRAM signature is wrong");
}

}  // namespace mqtt
