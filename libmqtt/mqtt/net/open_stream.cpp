#include <mqtt/net/open_stream.hpp>

#include <utility>

#include <mqtt/net/handshake.hpp>
#include <mqtt/net/ws.hpp>

namespace mqtt::net {

struct Opening::State {
  Loop& loop;
  StreamTarget target;
  Callback done;
  TimePoint started;
  Timer time_up;
  std::unique_ptr<Connector> connector;
  std::unique_ptr<ByteStream> stream;  // the layers so far
  HostPort host{"localhost", 0};       // which of the target's; a unix socket is on this host
  Handshake step = Handshake::tls;

  State(Loop& l, StreamTarget t, Callback callback);

  void on_connected(Result<Connected> connected);
  void start_tls();
  void start_websocket();
  void on_time_up();
  void note(OpenStep done_step) const {
    if (target.on_step) target.on_step(done_step);
  }
  void finish(Result<void> result);
  [[nodiscard]] std::string host_header() const;
};

Opening::State::State(Loop& l, StreamTarget t, Callback callback)
    : loop{l}, target{std::move(t)}, done{std::move(callback)}, started{loop.now()}, time_up{loop, [this] {
                                                                                               on_time_up();
                                                                                             }} {
  auto on_result = [this](Result<Connected> connected) { on_connected(std::move(connected)); };
  if (target.hosts.empty())
    connector =
        std::make_unique<Connector>(loop, target.unix_path, target.connect.deadline, std::move(on_result));
  else
    connector = std::make_unique<Connector>(loop, target.hosts, target.connect, std::move(on_result));
}

void Opening::State::on_connected(Result<Connected> connected) {
  connector.reset();
  if (!connected) return finish(std::unexpected(std::move(connected.error())));
  stream = std::move(connected->stream);
  note(OpenStep::connected);
  if (!target.hosts.empty()) host = target.hosts[connected->host_index];
  time_up.set(target.connect.deadline);
  start_tls();
}

void Opening::State::start_tls() {
  if (!target.tls) return start_websocket();
  step = Handshake::tls;
  const std::string& name = target.tls_server_name.empty() ? host.host : target.tls_server_name;
  stream = make_tls_client(loop, std::move(stream), target.tls, name, [this](Result<void> opened) {
    if (!opened) return finish(std::move(opened));
    note(OpenStep::tls);
    start_websocket();
  });
}

void Opening::State::start_websocket() {
  if (!target.ws) return finish({});
  step = Handshake::websocket;
  WsOptions options = *target.ws;
  if (options.host.empty()) options.host = host_header();
  stream = make_ws_client(loop, std::move(stream), options, [this](Result<void> opened) {
    if (opened) note(OpenStep::websocket);
    finish(std::move(opened));
  });
}

/// Host and port, as a browser would write it: the scheme's own port is left out (RFC 9110, 7.2).
std::string Opening::State::host_header() const {
  const std::uint16_t usual = target.tls ? 443 : 80;
  const bool leave_out = host.port == usual || target.hosts.empty();
  const std::string text = host_and_port(host.host, host.port);
  return leave_out ? text.substr(0, text.rfind(':')) : text;
}

void Opening::State::on_time_up() {
  finish(std::unexpected(handshake_timeout(step, stream->peer(), *target.connect.deadline - started)));
}

void Opening::State::finish(Result<void> result) {
  time_up.cancel();
  const auto call = std::move(done);
  if (result) return call(std::move(stream));
  Error error = stream ? handshake_error(step, std::move(result.error())) : std::move(result.error());
  stream.reset();
  call(std::unexpected(std::move(error)));
}

Opening::Opening(Loop& loop, StreamTarget target, Callback done)
    : state_{std::make_unique<State>(loop, std::move(target), std::move(done))} {}

Opening::~Opening() = default;

}  // namespace mqtt::net
