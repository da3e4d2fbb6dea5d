#pragma once
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/session/scram.hpp>

namespace mqtt::auth {

/// How a password is kept: "$7$ITERATIONS$SALT$HASH" (PBKDF2 with HMAC-SHA-512) or "$6$SALT$HASH" (SHA-512 of
/// password and salt), salt and hash in base64, as mosquitto's password files have it.
struct PasswordHash {
  std::optional<std::uint32_t> iterations;  ///< none: $6$
  std::string salt;
  std::string hash;  ///< 64 bytes

  /// Nothing if `text` is neither.
  [[nodiscard]] static std::optional<PasswordHash> parse(std::string_view text);
  /// As $7$.
  [[nodiscard]] static PasswordHash make(std::string_view password, std::string salt,
                                         std::uint32_t iterations);
  [[nodiscard]] std::string to_text() const;
  /// Takes the same time for right and wrong.
  [[nodiscard]] bool fits(std::string_view password) const;

  /// What a client of SCRAM takes at least, and about four milliseconds.
  static constexpr std::uint32_t iterations_default = ScramClient::iterations_min;
  /// As mosquitto_passwd makes it.
  static constexpr std::size_t salt_size = 12;
  /// About a second.
  static constexpr std::uint32_t iterations_max = 1'000'000;
};

/// How a password is kept for SCRAM-SHA-256, which has no use for mosquitto's hashes:
/// "SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY" (RFC 5803, as PostgreSQL has it), all but the number
/// in base64. Nothing if `text` is none.
[[nodiscard]] std::optional<ScramVerifier> parse_scram_sha256(std::string_view text);
/// Of a verifier for SHA-256.
[[nodiscard]] std::string to_text(const ScramVerifier& verifier);

/// Users and their passwords: lines "USER:HASH", empty ones and those that begin with '#'. A user may have
/// one line with a PasswordHash and one with a verifier for SCRAM-SHA-256; a password that is shown is
/// compared with the former, if there is one.
class PasswordFile {
 public:
  /// An error is the end of a sentence that begins with the file's name, "3: …"; no line is ever half taken.
  /// A file without users lets nobody in.
  [[nodiscard]] static std::expected<PasswordFile, std::string> parse(std::string_view text);

  /// Whether it is the user's password. Takes about as long for a user whom nobody knows.
  [[nodiscard]] bool fits(std::string_view user, std::string_view password) const;
  /// Whether a login by SCRAM can be begun: SHA-512 always, for what $7$ keeps is what SCRAM calls the salted
  /// password; SHA-256 if the file has a verifier for it.
  [[nodiscard]] bool offers(ScramHash hash) const;
  /// For a hash that the file offers. A user who is unknown, or not kept so that it could be used, gets one
  /// that nothing fits.
  [[nodiscard]] ScramVerifier scram_verifier(ScramHash hash, std::string_view user) const;
  [[nodiscard]] std::size_t size() const { return users_.size(); }

 private:
  struct User {
    std::optional<PasswordHash> hash;
    std::optional<ScramVerifier> sha256;

    [[nodiscard]] bool fits(std::string_view password) const;
  };

  [[nodiscard]] std::optional<std::string> add(std::string_view line);
  void note_first(const User& user);
  [[nodiscard]] ScramVerifier decoy(ScramHash hash, std::string_view user) const;

  std::map<std::string, User, std::less<>> users_;
  User nobody_;         // each part of the same cost as the first one in the file; no password fits it
  std::string secret_;  // for unknown users: of the file's bytes
};

/// `text`, a password file's, with lines of `hashes` for this user instead of older ones or behind the
/// others; without any the user is taken away. `user` must have passed find_user_fault().
[[nodiscard]] std::string with_user(std::string_view text, std::string_view user,
                                    const std::vector<std::string>& hashes);
/// What keeps a name from standing in a password file, as the end of a sentence; nothing if nothing does.
[[nodiscard]] std::optional<std::string> find_user_fault(std::string_view user);

}  // namespace mqtt::auth
