#pragma once
#include <mqtt/session/client_session.hpp>
#include <mqtt/session/session_handler.hpp>

#include "common/diag.hpp"

namespace mq {

/// -d: each packet that is sent ('>') or received ('<') as a line on stderr, in mqspy's words.
class PacketLog final : public mqtt::PacketObserver {
 public:
  /// Observes `session`, which must outlive it, if `diag` shows debug lines.
  PacketLog(Diag& diag, mqtt::ClientSession& session);

 private:
  void on_packet_sent(const mqtt::PacketView& packet) override { write("> ", packet); }
  void on_packet_received(const mqtt::PacketView& packet) override { write("< ", packet); }
  void write(std::string_view direction, const mqtt::PacketView& packet);

  Diag& diag_;
  const mqtt::ClientSession& session_;
};

}  // namespace mq
