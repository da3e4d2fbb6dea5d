#include "mqspy/server_config.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/value_checks.hpp"

namespace mq::spy {
namespace {

constexpr std::string_view server_group = "Server";

ValueResult keep_server(std::optional<mqtt::Endpoint>& target, std::string_view value) {
  const bool bare = !value.contains("://");
  auto endpoint = mqtt::parse_endpoint(bare ? fmt::format("mqtt://{}", value) : std::string{value});
  if (!endpoint) return std::unexpected(std::move(endpoint.error().context));
  if (endpoint->user_name || endpoint->password)
    return std::unexpected("there is no user name here: clients bring theirs");
  if (!endpoint->topic.empty()) return std::unexpected("there is no topic here");
  target = std::move(*endpoint);
  return {};
}

}  // namespace

void declare_server_options(Options& o, ServerConfig& config) {
  o.parsed("--to", [&config](std::string_view value) { return keep_server(config.to, value); })
      .metavar("URL")
      .group(server_group)
      .text("the server: mqtt://, mqtts://, ws://, wss:// or unix://");
  o.duration("--connect-timeout", config.connect_timeout)
      .must(some_time)
      .group(server_group)
      .text("how long connecting to the server and all handshakes may take");
  o.text("--cafile", config.tls.ca_file)
      .file()
      .must(not_empty)
      .group(server_group)
      .text("CA certificates for the server's (PEM); default: the system's");
  o.text("--capath", config.tls.ca_path)
      .directory()
      .must(not_empty)
      .group(server_group)
      .text("directory of CA certificates for the server's (openssl rehash)");
  o.flag("--insecure", config.tls.insecure)
      .group(server_group)
      .text("do not verify the server's certificate");
  o.text("--to-cert", config.tls.certificate_file)
      .file()
      .must(not_empty)
      .group(server_group)
      .text("the certificate that the server sees, with its chain (PEM)")
      .needs({"--to-key"});
  o.text("--to-key", config.tls.key_file)
      .file()
      .must(not_empty)
      .group(server_group)
      .text("its key")
      .needs({"--to-cert"});
  o.text("--sni", config.name)
      .metavar("NAME")
      .must(not_empty)
      .group(server_group)
      .text("the server's name in its certificate (default: what the client asks for, else the host)");
}

std::string server_place(const ServerConfig& config) {
  const mqtt::Endpoint& to = *config.to;
  if (to.transport == mqtt::Transport::unix_socket) return to.path;
  return mqtt::net::host_and_port(to.host, to.port);
}

mqtt::net::StreamTarget plain_target(const ServerConfig& config) {
  const mqtt::Endpoint& to = *config.to;
  mqtt::net::StreamTarget made;
  if (to.transport == mqtt::Transport::unix_socket)
    made.unix_path = to.path;
  else
    made.hosts = {{to.host, to.port}};
  if (uses_websocket(to.transport)) {
    made.ws.emplace();
    made.ws->path = to.path;
    made.ws->subprotocols = {"mqtt"};
  }
  return made;
}

}  // namespace mq::spy
