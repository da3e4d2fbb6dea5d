#include "mqspy/proxy.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace mq::spy {
namespace {

/// The family is switched off.
bool is_missing(const mqtt::Error& error) {
  return error.code == EADDRNOTAVAIL || error.code == EAFNOSUPPORT;
}

}  // namespace

Proxy::Proxy(mqtt::net::Loop& loop, ProxyTransport& transport, Inspection& inspection, FaultRules& rules,
             mqtt::Duration to_wall)
    : services_{loop,
                transport,
                inspection,
                rules,
                to_wall,
                [this](Relay& relay) { on_ended(relay); },
                [this] { turn_end_.request(); }},
      turn_end_{loop, [this] { at_turn_end(); }} {}

Proxy::~Proxy() = default;

mqtt::Result<std::unique_ptr<Proxy>> Proxy::open(mqtt::net::Loop& loop, const ProxyConfig& config,
                                                 ProxyTransport& transport, Inspection& inspection,
                                                 FaultRules& rules, mqtt::Duration to_wall) {
  std::unique_ptr<Proxy> made{new Proxy{loop, transport, inspection, rules, to_wall}};
  if (auto listening = made->listen(*config.listen); !listening)
    return std::unexpected(std::move(listening.error()));
  return made;
}

/// "localhost" is 127.0.0.1 and, where there is one, ::1, on the same port.
mqtt::Result<void> Proxy::listen(const ListenPlace& place) {
  if (place.host != "localhost" || place.transport == mqtt::Transport::unix_socket) return listen_at(place);
  ListenPlace at = place;
  at.host = "127.0.0.1";
  if (auto listening = listen_at(at); !listening) return listening;
  at.host = "::1";
  at.port = listeners_.front()->port();
  auto second = listen_at(at);
  // A port that the system chose may be taken there: one address is enough.
  if (!second && (place.port == 0 || is_missing(second.error()))) return {};
  return second;
}

mqtt::Result<void> Proxy::listen_at(ListenPlace place) {
  mqtt::net::ListenOptions options;
  options.address = place.host;
  options.port = place.port;
  if (place.transport == mqtt::Transport::unix_socket) options.unix_path = place.path;
  auto listener = mqtt::net::Listener::open(
      services_.loop, std::move(options), [this](auto stream) { on_accepted(std::move(stream)); },
      [this](const mqtt::Error& error) {
        services_.inspection.note(0, error.context, services_.loop.now() + services_.to_wall);
        turn_end_.request();
      });
  if (!listener) return std::unexpected(std::move(listener.error()));
  place.port = (*listener)->port();
  urls_.push_back(place.url());
  listeners_.push_back(std::move(*listener));
  return {};
}

void Proxy::on_accepted(std::unique_ptr<mqtt::net::ByteStream> stream) {
  turn_end_.request();
  relays_.push_back(std::make_unique<Relay>(services_, std::move(stream)));
  Relay& relay = *relays_.back();
  relay.set_place(std::prev(relays_.end()));
  relay.start();
}

void Proxy::on_ended(Relay& relay) {
  turn_end_.request();
  ended_.push_back(std::move(*relay.place()));
  relays_.erase(relay.place());
}

void Proxy::at_turn_end() {
  ended_.clear();
  services_.inspection.wake();
}

void Proxy::shut_down() {
  listeners_.clear();
  relays_.clear();
  at_turn_end();
}

}  // namespace mq::spy
