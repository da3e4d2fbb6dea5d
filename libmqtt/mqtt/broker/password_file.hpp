#pragma once
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/session/scram.hpp>

namespace mqtt::broker {

/// How a password is kept: "$7$ITERATIONS$SALT$HASH" (PBKDF2 with HMAC-SHA-512) or "$6$SALT$HASH" (SHA-512 of
/// password and salt), salt and hash in base64, as mosquitto's password files have it.
struct PasswordHash {
  std::optional<std::uint32_t> iterations;  ///< none: $6$
  std::string salt;
  std::string hash;  ///< 64 octets

  /// Nothing if `text` is neither.
  [[nodiscard]] static std::optional<PasswordHash> parse(std::string_view text);
  /// As $7$.
  [[nodiscard]] static PasswordHash make(std::string_view password, std::string salt,
                                         std::uint32_t iterations);
  [[nodiscard]] std::string to_text() const;
  /// Takes the same time for right and wrong.
  [[nodiscard]] bool fits(std::string_view password) const;

  /// What a client of SCRAM takes at least, and about four milliseconds of the loop.
  static constexpr std::uint32_t iterations_default = ScramClient::iterations_min;
  /// About a second.
  static constexpr std::uint32_t iterations_max = 1'000'000;
};

/// Users and their passwords: lines "USER:HASH", empty ones and those that begin with '#'.
class PasswordFile {
 public:
  /// An error is the end of a sentence that begins with the file's name, "3: …"; no line is ever half taken.
  /// A file without users lets nobody in.
  [[nodiscard]] static std::expected<PasswordFile, std::string> parse(std::string_view text);

  /// Whether it is the user's password. Takes about as long for a user whom nobody knows.
  [[nodiscard]] bool fits(std::string_view user, std::string_view password) const;
  /// For SCRAM-SHA-512: what $7$ keeps is what SCRAM calls the salted password. A user who is unknown, or
  /// kept as $6$, gets one that nothing fits.
  [[nodiscard]] ScramVerifier scram_verifier(std::string_view user) const;
  [[nodiscard]] std::size_t size() const { return users_.size(); }

 private:
  std::map<std::string, PasswordHash, std::less<>> users_;
  PasswordHash nobodys_;  // of the same cost as the first user's; no password fits it
  std::string secret_;    // for unknown users: of the file's octets
};

/// `text`, a password file's, with this user's line instead of an older one or behind the others; without
/// `hash` the line is taken away. `user` must have passed find_user_fault().
[[nodiscard]] std::string with_user(std::string_view text, std::string_view user,
                                    const std::optional<PasswordHash>& hash);
/// What keeps a name from standing in a password file, as the end of a sentence; nothing if nothing does.
[[nodiscard]] std::optional<std::string> find_user_fault(std::string_view user);

}  // namespace mqtt::broker
