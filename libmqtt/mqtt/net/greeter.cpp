#include <mqtt/net/greeter.hpp>

#include <string>
#include <utility>

#include <mqtt/net/handshake.hpp>
#include <mqtt/net/proxy.hpp>
#include <mqtt/net/ws.hpp>

namespace mqtt::net {
namespace {

/// A log line has to say whose handshake it was.
Error with_peer(Error error, const std::string& peer) {
  if (!error.context.contains(peer)) error.context = peer + ": " + error.context;
  return error;
}

}  // namespace

/// A connection between accept and its use.
struct Greeter::Guest {
  Greeter& greeter;
  Timer time_up;
  std::unique_ptr<ByteStream> stream;
  std::list<Guest>::iterator self;
  Handshake step = Handshake::proxy;

  explicit Guest(Greeter& g) : greeter{g}, time_up{g.loop_, [this] { on_time_up(); }} {}
  void start_proxy();
  void start_tls();
  void start_websocket();
  void on_time_up();
  void finish(Result<void> result);
};

Greeter::Greeter(Loop& loop, Greeting greeting, Greeted greeted)
    : loop_{loop}, greeting_{std::move(greeting)}, greeted_{std::move(greeted)} {}

Greeter::~Greeter() = default;

void Greeter::welcome(std::unique_ptr<ByteStream> stream) {
  Guest& guest = guests_.emplace_back(*this);
  guest.self = std::prev(guests_.end());
  guest.stream = std::move(stream);
  guest.time_up.set(loop_.now() + greeting_.handshake_timeout);
  guest.start_proxy();
}

void Greeter::Guest::start_proxy() {
  if (greeter.greeting_.proxy_protocol == ProxyProtocol::off) return start_tls();
  step = Handshake::proxy;
  stream = make_proxied_server(greeter.loop_, std::move(stream), [this](Result<void> opened) {
    if (!opened) return finish(std::move(opened));
    start_tls();
  });
}

void Greeter::Guest::start_tls() {
  if (!greeter.greeting_.tls) return start_websocket();
  step = Handshake::tls;
  stream =
      make_tls_server(greeter.loop_, std::move(stream), greeter.greeting_.tls, [this](Result<void> opened) {
        if (!opened) return finish(std::move(opened));
        start_websocket();
      });
}

void Greeter::Guest::start_websocket() {
  if (!greeter.greeting_.ws) return finish({});
  step = Handshake::websocket;
  stream = make_ws_server(greeter.loop_, std::move(stream), *greeter.greeting_.ws,
                          [this](Result<void> opened) { finish(std::move(opened)); });
}

void Greeter::Guest::on_time_up() {
  finish(std::unexpected(handshake_timeout(step, stream->peer(), greeter.greeting_.handshake_timeout)));
}

void Greeter::Guest::finish(Result<void> result) {
  const Handshake failed_step = step;
  std::unique_ptr<ByteStream> kept = std::move(stream);
  const Greeted call = greeter.greeted_;  // it may destroy the greeter
  greeter.guests_.erase(self);            // ends this object
  if (result) return call(std::move(kept));
  call(std::unexpected(with_peer(handshake_error(failed_step, std::move(result.error())), kept->peer())));
}

}  // namespace mqtt::net
