#include <fmt/format.h>

#include <utility>

#include <mqtt/session/saslprep.hpp>
#include <mqtt/session/scram.hpp>
#include <mqtt/session/scram_message.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/bytes.hpp>

namespace mqtt {
namespace {

std::unexpected<Error> client_fault(std::string_view what) {
  return fail(ErrorDomain::authentication, 0, std::string{what});
}

struct ClientFirst {
  std::string_view gs2_header;
  std::string_view bare;
  std::string user;
  std::string_view nonce;
};

Result<ClientFirst> parse_client_first(std::string_view text) {
  if (text.starts_with("p=")) return client_fault("the client wants channel binding, which is not offered");
  // "y": the client could bind, and thinks that we cannot, which is so. It may not act for another user.
  if (!text.starts_with("n,,") && !text.starts_with("y,,"))
    return client_fault("the client's first SCRAM message is malformed");
  constexpr std::size_t header_size = 3;
  ClientFirst first{text.substr(0, header_size), text.substr(header_size), {}, {}};
  if (first.bare.starts_with("m="))
    return client_fault("the client wants a SCRAM extension that is not supported");
  ScramMessage message{first.bare};
  const auto name = message.take('n');
  auto user = name ? from_scram_name(*name) : std::nullopt;
  const auto nonce = message.take('r');
  if (!user || !check_saslprep(*user, "the user name"))
    return client_fault("the client's SCRAM user name is malformed");
  if (!nonce || !is_scram_nonce(*nonce) || !message.rest_is_extensions())
    return client_fault("the client's first SCRAM message is malformed");
  first.user = std::move(*user);
  first.nonce = *nonce;
  return first;
}

}  // namespace

std::optional<ScramHash> find_scram_hash(std::string_view method) {
  if (method == "SCRAM-SHA-1") return ScramHash::sha1;
  if (method == "SCRAM-SHA-256") return ScramHash::sha256;
  if (method == "SCRAM-SHA-512") return ScramHash::sha512;
  return std::nullopt;
}

ScramVerifier make_scram_verifier(ScramHash hash, std::string_view password, std::string salt,
                                  std::uint32_t iterations) {
  const std::string salted = salted_password(hash, password, salt, iterations);
  return {.hash = hash,
          .salt = std::move(salt),
          .iterations = iterations,
          .stored_key = digest(hash, hmac(hash, salted, "Client Key")),
          .server_key = hmac(hash, salted, "Server Key")};
}

ScramVerifier unknown_user_verifier(ScramHash hash, std::string_view user, std::string_view secret,
                                    std::size_t salt_size, std::uint32_t iterations) {
  const auto derive = [&](char purpose) { return hmac(hash, secret, fmt::format("{}{}", purpose, user)); };
  return {.hash = hash,
          .salt = derive('s').substr(0, salt_size),
          .iterations = iterations,
          .stored_key = derive('k'),
          .server_key = derive('v')};
}

Result<std::string> ScramServer::begin(std::string_view client_first, const Lookup& lookup) {
  if (verifier_) return client_fault("the client began SCRAM twice");
  auto first = parse_client_first(client_first);
  if (!first) return std::unexpected(std::move(first.error()));
  verifier_ = lookup(first->user);
  user_ = std::move(first->user);
  gs2_header_ = first->gs2_header;
  nonce_ = std::string{first->nonce} + nonce_;
  std::string answer =
      fmt::format("r={},s={},i={}", nonce_, to_base64(as_bytes(verifier_->salt)), verifier_->iterations);
  first_messages_ = fmt::format("{},{}", first->bare, answer);
  return answer;
}

Result<std::string> ScramServer::finish(std::string_view client_final) {
  const std::optional<ScramVerifier> verifier = std::exchange(verifier_, std::nullopt);
  if (!verifier) return client_fault("the client's last SCRAM message comes out of turn");
  const std::size_t before_proof = client_final.rfind(",p=");
  if (before_proof == std::string_view::npos)
    return client_fault("the client's last SCRAM message has no proof");
  ScramMessage message{client_final.substr(0, before_proof)};
  const auto binding = message.take_bytes('c');
  const auto nonce = message.take('r');
  const auto proof = from_base64(client_final.substr(before_proof + 3));
  if (!binding || !nonce || !proof || !message.rest_is_extensions())
    return client_fault("the client's last SCRAM message is malformed");
  if (*binding != gs2_header_) return client_fault("the client's SCRAM messages contradict each other");
  if (*nonce != nonce_) return client_fault("the client's SCRAM nonce is of another login");
  const std::string signed_text = fmt::format("{},{}", first_messages_, client_final.substr(0, before_proof));
  const std::string signature = hmac(hash_, verifier->stored_key, signed_text);
  const bool proven =
      proof->size() == signature.size() &&
      equal_in_constant_time(digest(hash_, exclusive_or(*proof, signature)), verifier->stored_key);
  if (!proven) return client_fault("the client does not know the password");
  return fmt::format("v={}", to_base64(as_bytes(hmac(hash_, verifier->server_key, signed_text))));
}

}  // namespace mqtt
