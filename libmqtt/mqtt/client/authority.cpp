#include <mqtt/client/authority.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <mqtt/util/text.hpp>

namespace mqtt {
namespace {

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return std::nullopt;
}

}  // namespace

Result<std::string> percent_decoded(std::string_view text, std::string_view part) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const auto high = i + 1 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low)
      return bad_url(
          fmt::format("'%' in the {} is not followed by two hexadecimal digits (write '%25')", part));
    out.push_back(static_cast<char>(*high << 4 | *low));
    i += 2;
  }
  return out;
}

namespace {

/// A host may be written with %XX, but not so that it becomes something else.
bool is_delimiter(char c) { return std::string_view{"/?#@[]\\"}.find(c) != std::string_view::npos; }

/// [USER[:PASSWORD]@] off the front of `authority`.
Result<void> take_user_info(std::string_view& authority, Authority& found) {
  const std::size_t at = authority.rfind('@');
  if (at == authority.npos) return {};
  const std::string_view info = authority.substr(0, at);
  authority.remove_prefix(at + 1);
  const std::size_t colon = info.find(':');
  auto user = percent_decoded(info.substr(0, colon), "user name");
  if (!user) return std::unexpected(user.error());
  if (colon != info.npos) {
    auto password = percent_decoded(info.substr(colon + 1), "password");
    if (!password) return std::unexpected(password.error());
    found.password = std::move(*password);
  }
  if (!user->empty() || found.password) found.user_name = std::move(*user);
  return {};
}

/// Hexadecimal digits, colons and dots, then perhaps '%' and a zone (RFC 4007).
bool is_ipv6_literal(std::string_view text) {
  const std::size_t zone = text.find('%');
  return text.find(':') < zone && text.find_first_not_of("0123456789abcdefABCDEF:.") >= zone;
}

/// A host as it was written, decoded: without brackets, and nothing but a host.
Result<std::string> read_host(std::string_view text, bool bracketed) {
  auto host = percent_decoded(text, "host");  // a zone is written %25ZONE (RFC 6874)
  if (!host) return host;
  if (host->empty()) return bad_url("there is no host");
  if (std::ranges::any_of(*host, is_space_or_control))
    return bad_url("the host holds a space or control character");
  if (std::ranges::any_of(*host, is_delimiter)) return bad_url("the host holds a delimiter");
  if (bracketed && !is_ipv6_literal(*host))
    return bad_url(fmt::format("'[{}]' is not an IPv6 address", escape_for_terminal(*host)));
  if (!bracketed && host->find(':') != std::string::npos)
    return bad_url("an IPv6 address must stand in brackets: [::1]");
  return host;
}

/// "[::1]" or a name off the front; what is left is empty or ":PORT".
Result<std::string> take_host(std::string_view& authority) {
  const bool bracketed = authority.starts_with('[');
  const std::size_t end = std::min(authority.find(bracketed ? ']' : ':'), authority.size());
  if (bracketed && end == authority.size()) return bad_url("'[' without ']' around an IPv6 address");
  const std::string_view host = authority.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  authority.remove_prefix(bracketed ? end + 1 : end);
  const bool unbracketed_literal = !bracketed && authority.find(':', 1) != authority.npos;
  if (unbracketed_literal) return bad_url("an IPv6 address must stand in brackets: [::1]");
  return read_host(host, bracketed);
}

Result<std::optional<std::uint16_t>> read_port(std::string_view text, PortZero zero) {
  if (text.empty() || text == ":") return std::nullopt;
  const auto port = text.starts_with(':') ? parse_number<std::uint16_t>(text.substr(1)) : std::nullopt;
  if (!port || (*port == 0 && zero == PortZero::refused))
    return bad_url(fmt::format("'{}' is not a port from {} to 65535",
                               text.starts_with(':') ? text.substr(1) : text,
                               zero == PortZero::refused ? 1 : 0));
  return *port;
}

}  // namespace

Result<Authority> parse_authority(std::string_view text, PortZero zero) {
  Authority found;
  if (const auto taken = take_user_info(text, found); !taken) return std::unexpected(taken.error());
  auto host = take_host(text);
  if (!host) return std::unexpected(host.error());
  found.host = std::move(*host);
  const auto port = read_port(text, zero);
  if (!port) return std::unexpected(port.error());
  found.port = *port;
  return found;
}

}  // namespace mqtt
