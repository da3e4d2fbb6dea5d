// Any text is an endpoint or a clear error; a second pass over what was understood must agree with the first.
#include <fmt/format.h>

#include <cstdlib>

#include <mqtt/client/endpoint.hpp>
#include <mqtt/util/bytes.hpp>

using namespace mqtt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto endpoint = parse_endpoint(as_text({data, size}));
  if (!endpoint) {
    if (endpoint.error().context.empty() || endpoint.error().domain != ErrorDomain::url) std::abort();
    return 0;
  }
  if (endpoint->transport == Transport::unix_socket)
    return endpoint->path.starts_with('/') ? 0 : (std::abort(), 0);
  if (endpoint->host.empty() || endpoint->port == 0 || (endpoint->password && !endpoint->user_name))
    std::abort();
  if (!uses_websocket(endpoint->transport) || endpoint->host.find_first_of("%[]@") != std::string::npos)
    return 0;
  const bool literal = endpoint->host.find(':') != std::string::npos;
  const auto again = parse_endpoint(fmt::format("ws://{}{}{}:{}{}", literal ? "[" : "", endpoint->host,
                                                literal ? "]" : "", endpoint->port, endpoint->path));
  if (!again || again->host != endpoint->host || again->port != endpoint->port ||
      again->path != endpoint->path)
    std::abort();
  return 0;
}
