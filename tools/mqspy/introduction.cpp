#include "mqspy/introduction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <mqtt/net/ws.hpp>
#include <mqtt/util/text.hpp>

namespace mq::spy {

using mqtt::net::ClientHello;

Introduction::Introduction(mqtt::net::Loop& loop, ProxyTransport& transport,
                           std::unique_ptr<mqtt::net::ByteStream> client, Done done)
    : loop_{loop},
      transport_{transport},
      pair_{std::move(client), nullptr},
      done_{std::move(done)},
      time_up_{loop, [this] {
                 finish(mqtt::fail(mqtt::ErrorDomain::timeout, 0,
                                   fmt::format("the handshakes took longer than {}",
                                               mqtt::format_duration(transport_.connect_timeout()))));
               }} {
  time_up_.set(loop.now() + transport.connect_timeout());
  if (transport_.client_uses_tls())
    read_hello();
  else
    open_server();
}

void Introduction::read_hello() {
  pair_.client = make_hello_reader(loop_, std::move(pair_.client), [this](mqtt::Result<ClientHello> hello) {
    if (!hello) return finish(std::unexpected(std::move(hello.error())));
    hello_ = std::move(*hello);
    open_server();
  });
}

void Introduction::open_server() {
  auto target = transport_.target(hello_);
  if (!target) return finish(std::unexpected(std::move(target.error())));
  target->connect.deadline = loop_.now() + transport_.connect_timeout();
  opening_ = std::make_unique<mqtt::net::Opening>(
      loop_, std::move(*target), [this](mqtt::Result<std::unique_ptr<mqtt::net::ByteStream>> opened) {
        if (!opened) return finish(std::unexpected(std::move(opened.error())));
        pair_.server = std::move(*opened);
        opening_.reset();
        start_tls();
      });
}

/// What the server has chosen; of one that has no TLS what there is to choose.
std::string Introduction::chosen_alpn() const {
  const auto server = pair_.server->properties();
  if (!server.tls_version.empty()) return server.alpn;
  const std::string usual = transport_.client_uses_websocket() ? "http/1.1" : "mqtt";
  return std::ranges::find(hello_.alpn, usual) == hello_.alpn.end() ? std::string{} : usual;
}

void Introduction::start_tls() {
  if (!transport_.client_uses_tls()) return start_websocket();
  auto context = transport_.identity(hello_, chosen_alpn());
  if (!context) return finish(std::unexpected(std::move(context.error())));
  pair_.client =
      make_tls_server(loop_, std::move(pair_.client), std::move(*context), [this](mqtt::Result<void> opened) {
        if (!opened) return finish(std::move(opened));
        start_websocket();
      });
}

void Introduction::start_websocket() {
  if (!transport_.client_uses_websocket()) return finish({});
  pair_.client = make_ws_server(loop_, std::move(pair_.client), transport_.websocket(),
                                [this](mqtt::Result<void> opened) { finish(std::move(opened)); });
}

void Introduction::finish(mqtt::Result<void> result) {
  time_up_.cancel();
  const Done done = std::move(done_);
  if (result) return done(std::move(pair_));
  opening_.reset();
  pair_ = {};
  done(std::unexpected(std::move(result.error())));
}

}  // namespace mq::spy
