#include <mqtt/net/resolver.hpp>

#include <fmt/format.h>
#include <netdb.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <mqtt/net/background.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

using Addresses = std::vector<SocketAddress>;

int family_number(Family family) {
  switch (family) {
    case Family::ipv4: return AF_INET;
    case Family::ipv6: return AF_INET6;
    case Family::any: break;
  }
  return AF_UNSPEC;
}

/// "localhost" and every name below it is this host, whatever a name server says (RFC 6761, 6.3).
bool is_localhost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  constexpr std::string_view name = "localhost", below = ".localhost";
  if (equal_ignoring_case(host, name)) return true;
  return host.size() > below.size() && equal_ignoring_case(host.substr(host.size() - below.size()), below);
}

Error resolve_error(std::string_view host, int code, int system_code) {
  const std::string why =
      code == EAI_SYSTEM ? std::generic_category().message(system_code) : std::string{gai_strerror(code)};
  return {ErrorDomain::resolve, code, fmt::format("cannot resolve '{}': {}", escape_for_terminal(host), why)};
}

Result<Addresses> only(Family family, Addresses addresses, std::string_view host) {
  if (family != Family::any)
    std::erase_if(addresses, [&](const SocketAddress& a) { return a.family() != family; });
  if (!addresses.empty()) return addresses;
  return std::unexpected(resolve_error(host, EAI_ADDRFAMILY, 0));
}

Addresses overridden(const std::string& host, std::uint16_t port,
                     const std::vector<NameOverride>& overrides) {
  Addresses addresses;
  for (const NameOverride& entry : overrides) {
    const bool meant = entry.host == "*" || equal_ignoring_case(entry.host, host);
    if (!meant || entry.port != port) continue;
    for (SocketAddress address : entry.addresses) {
      address.set_port(port);
      addresses.push_back(address);
    }
  }
  return addresses;
}

/// The answers that need no lookup.
std::optional<Result<Addresses>> known_addresses(const std::string& host, std::uint16_t port, Family family,
                                                 const std::vector<NameOverride>& overrides) {
  if (host.empty())
    return fail(ErrorDomain::resolve, EAI_NONAME, "cannot resolve '': the host name is empty");
  if (const auto literal = SocketAddress::parse(host, port)) return only(family, {*literal}, host);
  if (auto known = overridden(host, port, overrides); !known.empty())
    return only(family, std::move(known), host);
  if (!is_localhost(host)) return std::nullopt;
  return only(family, {*SocketAddress::parse("::1", port), *SocketAddress::parse("127.0.0.1", port)}, host);
}

Result<Addresses> collect(const addrinfo* found, std::uint16_t port, std::string_view host) {
  Addresses addresses;
  for (; found; found = found->ai_next) {
    auto address = SocketAddress::from(found->ai_addr);
    if (!address) continue;
    address->set_port(port);
    addresses.push_back(*address);
  }
  return only(Family::any, std::move(addresses), host);
}

Result<Addresses> look_up(const std::string& host, std::uint16_t port, Family family) {
  addrinfo hints{};
  hints.ai_family = family_number(family);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;  // no IPv6 addresses for a machine that has only IPv4
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) return std::unexpected(resolve_error(host, code, errno));
  auto addresses = collect(found, port, host);
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

Lookup::Lookup(Loop& loop, std::string host, std::uint16_t port, Family family, Callback done,
               const std::vector<NameOverride>& overrides)
    : done_{std::move(done)}, answer_{loop, [this] { finish(std::move(*result_)); }} {
  result_ = known_addresses(host, port, family, overrides);
  if (result_) {
    answer_.request();
    return;
  }
  auto found = std::make_shared<Result<Addresses>>();
  work_.emplace(
      loop, [found, host = std::move(host), port, family] { *found = look_up(host, port, family); },
      [this, found](Result<void> worked) {
        if (!worked) *found = std::unexpected(std::move(worked.error()));
        finish(std::move(*found));
      });
}

Lookup::~Lookup() = default;

void Lookup::finish(Result<std::vector<SocketAddress>> result) {
  const auto call = std::move(done_);
  call(std::move(result));
}

}  // namespace mqtt::net
