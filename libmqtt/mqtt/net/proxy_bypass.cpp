#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <vector>

#include <mqtt/net/proxy_server.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

using AddressBytes = std::vector<std::uint8_t>;

/// The 4 or 16 bytes of a literal; empty for a name.
AddressBytes address_bytes(std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  const std::string literal{text};
  if (inet_pton(AF_INET, literal.c_str(), bytes.data()) == 1) return {bytes.begin(), bytes.begin() + 4};
  if (inet_pton(AF_INET6, literal.c_str(), bytes.data()) == 1) return {bytes.begin(), bytes.end()};
  return {};
}

bool first_bits_equal(const AddressBytes& a, const AddressBytes& b, std::size_t bits) {
  const std::size_t whole = bits / 8, rest = bits % 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool in_network(std::string_view network, const AddressBytes& host) {
  const std::size_t slash = network.find('/');
  const AddressBytes base = address_bytes(network.substr(0, slash));
  if (base.empty() || base.size() != host.size()) return false;
  const std::size_t all = base.size() * 8;
  const auto bits = slash == network.npos ? all : parse_number<std::size_t>(network.substr(slash + 1));
  return bits && *bits <= all && first_bits_equal(base, host, *bits);
}

std::string_view without_dots_around(std::string_view name) {
  if (name.starts_with('.')) name.remove_prefix(1);
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool is_or_is_below(std::string_view host, std::string_view domain) {
  if (domain.empty() || host.size() < domain.size()) return false;
  const std::size_t start = host.size() - domain.size();
  return equal_ignoring_case(host.substr(start), domain) && (start == 0 || host[start - 1] == '.');
}

bool matches(std::string_view entry, std::string_view host, const AddressBytes& address) {
  if (entry == "*") return true;
  if (!address.empty()) return in_network(entry, address);
  return is_or_is_below(without_dots_around(host), without_dots_around(entry));
}

}  // namespace

bool bypasses_proxy(std::string_view list, std::string_view host) {
  const AddressBytes address = address_bytes(host);
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", \t"), list.size());
    if (end > 0 && matches(list.substr(0, end), host, address)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace mqtt::net
