#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace mqtt {

/// The hash of a SCRAM mechanism. All functions give and take bytes in strings.
enum class ScramHash : std::uint8_t { sha1, sha256, sha512 };

/// 20, 32 or 64.
[[nodiscard]] std::size_t digest_size(ScramHash hash);
[[nodiscard]] std::string digest(ScramHash hash, std::string_view text);
[[nodiscard]] std::string hmac(ScramHash hash, std::string_view key, std::string_view text);
/// RFC 5802's Hi(): PBKDF2 with the HMAC, as many bytes as the hash has. A million iterations take a third
/// of a second with SHA-1 and SHA-256, and about a second with SHA-512.
[[nodiscard]] std::string salted_password(ScramHash hash, std::string_view password, std::string_view salt,
                                          std::uint32_t iterations);
/// Takes as long for equal texts as for others; only the sizes show.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);
/// Of texts of one size, byte by byte.
[[nodiscard]] std::string exclusive_or(std::string_view a, std::string_view b);

}  // namespace mqtt
