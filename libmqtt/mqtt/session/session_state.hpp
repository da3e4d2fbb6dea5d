#pragma once
#include <mqtt/session/inflight.hpp>
#include <mqtt/session/received.hpp>

namespace mqtt {

/// The part of a Session State (4.1) that belongs to message flows: it survives connections. A broker
/// keeps it, beside subscriptions and queue, from ServerSession::take_state() to the next accept().
struct SessionState {
  Inflight outgoing;
  ReceivedIds incoming;
  PacketId next_id = 1;
  std::uint32_t epoch = 0;  ///< counts connections, so that AckTokens of an earlier one are known

  /// As it was made: no QoS 1 or 2 message was ever under way.
  [[nodiscard]] bool untouched() const {
    return epoch == 0 && next_id == 1 && outgoing.size() == 0 && incoming.size() == 0;
  }
  /// What keeping it takes, without the payloads that have other owners.
  [[nodiscard]] std::size_t memory_bytes() const { return outgoing.memory_bytes() + incoming.memory_bytes(); }
  void clear() {
    outgoing.clear();
    incoming.clear();
  }
};

}  // namespace mqtt
