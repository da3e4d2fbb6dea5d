#include <mqtt/client/server_reference.hpp>

#include <algorithm>
#include <utility>

#include <mqtt/client/authority.hpp>

namespace mqtt {

std::vector<net::HostPort> parse_server_reference(std::string_view text, std::uint16_t default_port) {
  std::vector<net::HostPort> servers;
  while (!text.empty() && servers.size() < server_references_max) {
    const std::size_t end = std::min(text.find(' '), text.size());
    auto server = parse_authority(text.substr(0, end), PortZero::refused);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!server || server->user_name) continue;
    servers.push_back({std::move(server->host), server->port.value_or(default_port)});
  }
  return servers;
}

}  // namespace mqtt
