#include <mqtt/auth/password_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include <mqtt/session/scram_crypto.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/lines.hpp>
#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt::auth {
namespace {

constexpr ScramHash sha512 = ScramHash::sha512;

constexpr std::string_view scram_sha256 = "SCRAM-SHA-256$";

/// Takes up to the next `end_mark`, or all.
std::string_view take_field(std::string_view& rest, char end_mark = '$') {
  const std::size_t end = std::min(rest.find(end_mark), rest.size());
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return field;
}

/// $7$ keeps what SCRAM-SHA-512 calls the salted password.
ScramVerifier verifier_of(const PasswordHash& kept) {
  return {.hash = sha512,
          .salt = kept.salt,
          .iterations = kept.iterations.value_or(PasswordHash::iterations_default),
          .stored_key = digest(sha512, hmac(sha512, kept.hash, "Client Key")),
          .server_key = hmac(sha512, kept.hash, "Server Key")};
}

bool is_comment(std::string_view line) { return line.empty() || line.starts_with('#'); }

}  // namespace

std::optional<PasswordHash> PasswordHash::parse(std::string_view text) {
  const bool iterated = text.starts_with("$7$");
  if (!iterated && !text.starts_with("$6$")) return std::nullopt;
  text.remove_prefix(3);
  PasswordHash parsed;
  if (iterated) {
    parsed.iterations = parse_number<std::uint32_t>(take_field(text));
    if (!parsed.iterations || *parsed.iterations == 0 || *parsed.iterations > iterations_max)
      return std::nullopt;
  }
  auto salt = from_base64(take_field(text));
  auto hash = from_base64(text);
  if (!salt || salt->empty() || !hash || hash->size() != digest_size(sha512)) return std::nullopt;
  parsed.salt = std::move(*salt);
  parsed.hash = std::move(*hash);
  return parsed;
}

PasswordHash PasswordHash::make(std::string_view password, std::string salt, std::uint32_t iterations) {
  std::string hash = salted_password(sha512, password, salt, iterations);
  return {iterations, std::move(salt), std::move(hash)};
}

std::string PasswordHash::to_text() const {
  const std::string encoded = fmt::format("{}${}", to_base64(as_bytes(salt)), to_base64(as_bytes(hash)));
  return iterations ? fmt::format("$7${}${}", *iterations, encoded) : "$6$" + encoded;
}

bool PasswordHash::fits(std::string_view password) const {
  const std::string made = iterations ? salted_password(sha512, password, salt, *iterations)
                                      : digest(sha512, fmt::format("{}{}", password, salt));
  return equal_in_constant_time(made, hash);
}

std::optional<ScramVerifier> parse_scram_sha256(std::string_view text) {
  if (!text.starts_with(scram_sha256)) return std::nullopt;
  text.remove_prefix(scram_sha256.size());
  const auto iterations = parse_number<std::uint32_t>(take_field(text, ':'));
  auto salt = from_base64(take_field(text, '$'));
  auto stored_key = from_base64(take_field(text, ':'));
  auto server_key = from_base64(text);
  if (!iterations || *iterations == 0 || *iterations > PasswordHash::iterations_max) return std::nullopt;
  const std::size_t size = digest_size(ScramHash::sha256);
  if (!salt || salt->empty() || !stored_key || stored_key->size() != size || !server_key ||
      server_key->size() != size)
    return std::nullopt;
  return ScramVerifier{ScramHash::sha256, std::move(*salt), *iterations, std::move(*stored_key),
                       std::move(*server_key)};
}

std::string to_text(const ScramVerifier& verifier) {
  const auto encoded = [](std::string_view bytes) { return to_base64(as_bytes(bytes)); };
  return fmt::format("{}{}:{}${}:{}", scram_sha256, verifier.iterations, encoded(verifier.salt),
                     encoded(verifier.stored_key), encoded(verifier.server_key));
}

std::expected<PasswordFile, std::string> PasswordFile::parse(std::string_view text) {
  PasswordFile file;
  file.secret_ = digest(sha512, text);
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (is_comment(line)) continue;
    if (const auto fault = file.add(line)) return std::unexpected(fmt::format("{}: {}", number, *fault));
  }
  return file;
}

/// A line that is not understood must never become a user without a password (CVE-2018-12551).
std::optional<std::string> PasswordFile::add(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return "the line is not USER:HASH";
  const std::string_view name = line.substr(0, colon);
  if (const auto why = find_user_fault(name)) return why;
  const std::string_view kept = line.substr(colon + 1);
  User read{PasswordHash::parse(kept), parse_scram_sha256(kept)};
  if (!read.hash && !read.sha256)
    return "what follows the user name is no hash that is known here ($7$, $6$, SCRAM-SHA-256$)";
  note_first(read);
  User& user = users_[std::string{name}];
  if ((user.hash && read.hash) || (user.sha256 && read.sha256))
    return "the user has another line of this kind before";
  if (read.hash) user.hash = std::move(read.hash);
  if (read.sha256) user.sha256 = std::move(read.sha256);
  return std::nullopt;
}

/// Who is unknown is to look like those that the file begins with.
void PasswordFile::note_first(const User& user) {
  const auto salt_like = [this](const std::string& salt) { return secret_.substr(0, salt.size()); };
  if (user.hash && !nobody_.hash)
    nobody_.hash = {user.hash->iterations, salt_like(user.hash->salt),
                    std::string(digest_size(sha512), '\0')};
  if (user.sha256 && !nobody_.sha256)
    nobody_.sha256 = {ScramHash::sha256, salt_like(user.sha256->salt), user.sha256->iterations,
                      std::string(digest_size(ScramHash::sha256), '\0'), ""};
}

bool PasswordFile::User::fits(std::string_view password) const {
  if (hash) return hash->fits(password);
  if (!sha256) return false;
  const ScramVerifier made =
      make_scram_verifier(ScramHash::sha256, password, sha256->salt, sha256->iterations);
  return equal_in_constant_time(made.stored_key, sha256->stored_key);
}

bool PasswordFile::fits(std::string_view user, std::string_view password) const {
  const auto known = users_.find(user);
  const bool right = (known == users_.end() ? nobody_ : known->second).fits(password);
  return right && known != users_.end();
}

bool PasswordFile::offers(ScramHash hash) const {
  return hash == sha512 || (hash == ScramHash::sha256 && nobody_.sha256);
}

ScramVerifier PasswordFile::scram_verifier(ScramHash hash, std::string_view user) const {
  const auto known = users_.find(user);
  const User none;
  const User& kept = known == users_.end() ? none : known->second;
  if (hash == ScramHash::sha256 && kept.sha256) return *kept.sha256;
  if (hash == sha512 && kept.hash && kept.hash->iterations) return verifier_of(*kept.hash);
  return decoy(hash, user);
}

/// Like what most have who are known.
ScramVerifier PasswordFile::decoy(ScramHash hash, std::string_view user) const {
  std::size_t salt_size = PasswordHash::salt_size;
  std::optional<std::uint32_t> iterations;
  if (hash == sha512 && nobody_.hash) {
    salt_size = nobody_.hash->salt.size();
    iterations = nobody_.hash->iterations;
  } else if (hash == ScramHash::sha256 && nobody_.sha256) {
    salt_size = nobody_.sha256->salt.size();
    iterations = nobody_.sha256->iterations;
  }
  return unknown_user_verifier(hash, user, secret_, salt_size,
                               iterations.value_or(PasswordHash::iterations_default));
}

std::string with_user(std::string_view text, std::string_view user, const std::vector<std::string>& hashes) {
  const std::string beginning = fmt::format("{}:", user);
  std::string users;
  for (const std::string& hash : hashes) users += fmt::format("{}{}\n", beginning, hash);
  std::string lines;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    lines += line.starts_with(beginning) ? std::exchange(users, "") : fmt::format("{}\n", line);
  }
  return lines + users;
}

std::optional<std::string> find_user_fault(std::string_view user) {
  if (user.empty()) return "the user name is empty";
  if (user.starts_with('#') || user.find(':') != std::string_view::npos)
    return "a user name has no ':', and does not begin with '#'";
  const bool control = std::ranges::any_of(user, [](char c) { return c >= 0 && (c < ' ' || c == '\x7F'); });
  if (control || !is_mqtt_utf8(as_bytes(user))) return "the user name is not text";
  return std::nullopt;
}

}  // namespace mqtt::auth
