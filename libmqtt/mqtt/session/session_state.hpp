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

  void clear() {
    outgoing.clear();
    incoming.clear();
  }
};

}  // namespace mqtt
