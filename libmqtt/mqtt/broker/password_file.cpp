#include <mqtt/broker/password_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include <mqtt/session/scram_crypto.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/lines.hpp>
#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt::broker {
namespace {

constexpr ScramHash sha512 = ScramHash::sha512;

/// Takes up to the next '$', or all.
std::string_view take_field(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('$'), rest.size());
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return field;
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

std::expected<PasswordFile, std::string> PasswordFile::parse(std::string_view text) {
  PasswordFile file;
  file.secret_ = digest(sha512, text);
  file.nobodys_ = {PasswordHash::iterations_default, file.secret_.substr(0, 12),
                   std::string(digest_size(sha512), '\0')};
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (is_comment(line)) continue;
    const auto fault = [number](std::string_view what) {
      return std::unexpected(fmt::format("{}: {}", number, what));
    };
    // A line that is not understood must never become a user without a password (CVE-2018-12551).
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return fault("the line is not USER:HASH");
    const std::string_view user = line.substr(0, colon);
    if (const auto why = find_user_fault(user)) return fault(*why);
    auto hash = PasswordHash::parse(line.substr(colon + 1));
    if (!hash) return fault("what follows the user name is no hash that is known here ($7$, $6$)");
    if (file.users_.empty() && hash->iterations) file.nobodys_.iterations = hash->iterations;
    if (!file.users_.try_emplace(std::string{user}, std::move(*hash)).second)
      return fault("the user has another line before");
  }
  return file;
}

bool PasswordFile::fits(std::string_view user, std::string_view password) const {
  const auto known = users_.find(user);
  const bool right = (known == users_.end() ? nobodys_ : known->second).fits(password);
  return right && known != users_.end();
}

ScramVerifier PasswordFile::scram_verifier(std::string_view user) const {
  const auto known = users_.find(user);
  if (known == users_.end() || !known->second.iterations)
    return unknown_user_verifier(sha512, user, secret_, nobodys_.salt.size(), *nobodys_.iterations);
  const PasswordHash& kept = known->second;
  return {.hash = sha512,
          .salt = kept.salt,
          .iterations = *kept.iterations,
          .stored_key = digest(sha512, hmac(sha512, kept.hash, "Client Key")),
          .server_key = hmac(sha512, kept.hash, "Server Key")};
}

std::string with_user(std::string_view text, std::string_view user, const std::optional<PasswordHash>& hash) {
  const std::string beginning = fmt::format("{}:", user);
  std::string lines;
  bool written = !hash;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const bool users = line.starts_with(beginning);
    if (!users) lines += fmt::format("{}\n", line);
    if (users && !std::exchange(written, true)) lines += fmt::format("{}{}\n", beginning, hash->to_text());
  }
  if (!written) lines += fmt::format("{}{}\n", beginning, hash->to_text());
  return lines;
}

std::optional<std::string> find_user_fault(std::string_view user) {
  if (user.empty()) return "the user name is empty";
  if (user.starts_with('#') || user.find(':') != std::string_view::npos)
    return "a user name has no ':', and does not begin with '#'";
  const bool control = std::ranges::any_of(user, [](char c) { return c >= 0 && (c < ' ' || c == '\x7F'); });
  if (control || !is_mqtt_utf8(as_bytes(user))) return "the user name is not text";
  return std::nullopt;
}

}  // namespace mqtt::broker
