#pragma once
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <mqtt/inspect/exchange.hpp>
#include <mqtt/inspect/past_sessions.hpp>

namespace mqtt {

/// What connections of the same servers mean for each other: tells each Flow what its rules need to know of
/// the others. Connections are numbered by the caller, from 1.
class Neighbours {
 public:
  /// `find` gives the Flow of a connection that is open, or null.
  explicit Neighbours(std::function<Flow*(std::uint64_t)> find) : find_{std::move(find)} {}

  /// Of a connection: its number, and whose it is.
  struct Place {
    std::uint64_t connection = 0;
    std::string_view server;
  };

  /// For lint(), of FlowWatcher::before_packet.
  [[nodiscard]] const Origins* origins(const Place& place, const FlowPacket& packet) {
    return exchange_.origins(place.connection, place.server, packet);
  }
  /// After FlowWatcher::after_packet of `flow`.
  void take_in(const Place& place, const FlowPacket& packet, Flow& flow);
  void ended(const Place& place, const FlowState& state, TimePoint now);

 private:
  void connect(const Place& place, const Step& step, Flow& flow);
  void connack(const Place& place, const Step& step, Flow& flow);

  std::function<Flow*(std::uint64_t)> find_;
  PastSessions sessions_;
  Exchange exchange_;
  std::unordered_map<std::uint64_t, std::uint64_t> challenged_;  // connection, by the one that has come
};

}  // namespace mqtt
