#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/session/scram_crypto.hpp>
#include <mqtt/util/error.hpp>

// SCRAM (RFC 5802, RFC 7677) without channel binding. No random numbers here: who makes one of these brings a
// nonce. Messages are the Authentication Data of CONNECT, AUTH and CONNACK. A fault of the other side is an
// Error of ErrorDomain::authentication, a clause for a person that shows neither a password nor a key.

namespace mqtt {

/// Of the Authentication Method "SCRAM-SHA-1", "SCRAM-SHA-256" or "SCRAM-SHA-512"; nothing for another one,
/// and for those with channel binding ("-PLUS").
[[nodiscard]] std::optional<ScramHash> find_scram_hash(std::string_view method);

/// What a server keeps of a password (RFC 5802, section 3).
struct ScramVerifier {
  ScramHash hash = ScramHash::sha256;
  std::string salt;
  std::uint32_t iterations = 4096;
  std::string stored_key;
  std::string server_key;
};

/// `password` must have passed check_saslprep().
[[nodiscard]] ScramVerifier make_scram_verifier(ScramHash hash, std::string_view password, std::string salt,
                                                std::uint32_t iterations);
/// For a user whom nobody knows: no password fits it, and by its salt, which is the same each time, it cannot
/// be told from one of a user who is known. `secret` is a key of the server's, kept like a password; known
/// users should have a salt of `salt_size` bytes, at most 20, and `iterations`, too.
[[nodiscard]] ScramVerifier unknown_user_verifier(ScramHash hash, std::string_view user,
                                                  std::string_view secret, std::size_t salt_size,
                                                  std::uint32_t iterations);

/// One exchange as a client: first(), answer(), finish().
class ScramClient {
 public:
  /// RFC 7677 wants no less; a server that asks for less may be one that would like to guess the password.
  static constexpr std::uint32_t iterations_min = 4096;
  /// All of them are counted before answer() returns, which a server could use against us: about a second.
  static constexpr std::uint32_t iterations_max = 2'000'000;

  /// `user` and `password` must have passed check_saslprep(). `nonce` is random and new for each exchange:
  /// printable ASCII without comma.
  ScramClient(ScramHash hash, std::string_view user, std::string password, std::string nonce);

  [[nodiscard]] std::string first() const { return "n,," + first_bare_; }
  /// The answer to the server's first message. Once.
  [[nodiscard]] Result<std::string> answer(std::string_view server_first);
  /// Whether the server has proven with its final message that it knows the password. Once, after answer().
  [[nodiscard]] Result<void> finish(std::string_view server_final);

 private:
  ScramHash hash_;
  std::string password_;
  std::string nonce_;
  std::string first_bare_;
  std::string server_signature_;  // empty before answer()
};

/// One exchange as a server: begin(), finish().
class ScramServer {
 public:
  /// Gives the verifier of `user`, who may be unknown: see unknown_user_verifier().
  using Lookup = std::function<ScramVerifier(std::string_view user)>;

  /// `nonce`: as for the client.
  ScramServer(ScramHash hash, std::string nonce) : hash_{hash}, nonce_{std::move(nonce)} {}

  /// The answer to the client's first message. Once.
  [[nodiscard]] Result<std::string> begin(std::string_view client_first, const Lookup& lookup);
  /// The server's final message, if the client has proven that it knows the password of user(). Once, after
  /// begin().
  [[nodiscard]] Result<std::string> finish(std::string_view client_final);

  /// After begin(): who the client says it is. It is true after finish().
  [[nodiscard]] const std::string& user() const { return user_; }

 private:
  ScramHash hash_;
  std::string nonce_;  // after begin(): the client's before it
  std::string user_;
  std::string gs2_header_;
  std::string first_messages_;  // the client's bare one, and ours
  std::optional<ScramVerifier> verifier_;
};

}  // namespace mqtt
