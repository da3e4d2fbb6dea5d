#include <mqtt/server/listening.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>
#include <utility>

namespace mqtt::server {
namespace {

enum class Need : std::uint8_t { required, if_there };

struct Place {
  std::string address;
  Need need = Need::required;
};

std::vector<Place> places_of(const ListenerConfig& config) {
  if (config.addresses.empty()) return {{"127.0.0.1"}, {"::1", Need::if_there}};
  std::vector<Place> places;
  for (const std::string& address : config.addresses) places.push_back({address});
  return places;
}

std::string url_of(const net::ListenOptions& options, const net::Listener& listener) {
  if (listener.port() == 0) return fmt::format("unix://{}", listener.place());
  constexpr std::array schemes{"mqtt", "mqtts", "ws", "wss"};
  const std::size_t scheme = (options.ws ? 2U : 0U) + (options.tls ? 1U : 0U);
  return fmt::format("{}://{}{}", schemes[scheme], listener.place(), options.ws ? options.ws->path : "");
}

/// The family is switched off, or the interface has no such address.
bool is_missing(const Error& error) { return error.code == EADDRNOTAVAIL || error.code == EAFNOSUPPORT; }

class Opener {
 public:
  Opener(net::Loop& loop, const net::Listener::Accepted& accepted, const net::Listener::Failed& failed)
      : loop_{loop}, accepted_{accepted}, failed_{failed} {}

  Result<void> open(const net::ListenOptions& options) {
    auto listener = net::Listener::open(loop_, options, accepted_, failed_);
    if (!listener) return std::unexpected(std::move(listener.error()));
    opened_.urls.push_back(url_of(options, **listener));
    opened_.listeners.push_back(std::move(*listener));
    return {};
  }

  /// All on the port that the first one gets.
  Result<void> open_all(net::ListenOptions options, std::span<const Place> places) {
    opened_ = {};
    for (const Place& place : places) {
      options.address = place.address;
      auto opened = open(options);
      if (!opened && (place.need == Need::required || !is_missing(opened.error()))) return opened;
      if (opened) options.port = opened_.listeners.back()->port();
    }
    return {};
  }

  [[nodiscard]] Listening take() { return std::move(opened_); }

 private:
  net::Loop& loop_;
  const net::Listener::Accepted& accepted_;
  const net::Listener::Failed& failed_;
  Listening opened_;
};

}  // namespace

Result<Listening> start_listening(net::Loop& loop, const ListenerConfig& config,
                                  const net::Listener::Accepted& accepted,
                                  const net::Listener::Failed& failed) {
  Opener opener{loop, accepted, failed};
  Result<void> opened;
  if (!config.listen.unix_path.empty() || config.listen.fd) {
    opened = opener.open(config.listen);
  } else {
    const std::vector<Place> places = places_of(config);
    // A port that the system chose for the first address may be taken at the next.
    int attempts = config.listen.port == 0 && places.size() > 1 ? 16 : 1;
    do opened = opener.open_all(config.listen, places);
    while (!opened && opened.error().code == EADDRINUSE && --attempts > 0);
  }
  if (!opened) return std::unexpected(std::move(opened.error()));
  return opener.take();
}

}  // namespace mqtt::server
