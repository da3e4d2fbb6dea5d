#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/client/endpoint.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt {

[[nodiscard]] inline std::unexpected<Error> bad_url(std::string why) {
  return fail(ErrorDomain::url, 0, std::move(why));
}

[[nodiscard]] inline bool is_space_or_control(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
}

/// [USER[:PASSWORD]@]HOST[:PORT] of a URL (RFC 3986, 3.2).
struct Authority {
  std::optional<std::string> user_name;  ///< percent-decoded
  std::optional<std::string> password;   ///< percent-decoded
  std::string host;                      ///< name or IP literal, without brackets
  std::optional<std::uint16_t> port;
};

/// User information ends at the last '@'. Errors are of domain url and never hold the password.
[[nodiscard]] Result<Authority> parse_authority(std::string_view text, PortZero zero);

/// `part` names it in an error: "topic".
[[nodiscard]] Result<std::string> percent_decoded(std::string_view text, std::string_view part);

}  // namespace mqtt
