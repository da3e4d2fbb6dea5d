#pragma once
#include <functional>

#include <mqtt/client/client.hpp>

namespace mqtt {

/// Before MQTT 5.0 a server forgets a session only when its client comes again with Clean Session 1
/// [MQTT-3.1.2-6]: one short connection that does just that. It is not tried twice.
class SessionEnd final : ClientHandler {
 public:
  /// `options` are those of the client whose session it was, with the version it spoke. `done` is told how
  /// it ended, at the end of a turn; it must not destroy this object.
  SessionEnd(net::Loop& loop, const ClientOptions& options, std::function<void(const Ending&)> done);

  /// From the lookup to CONNACK; Client::drain_timeout bounds the rest.
  static constexpr Duration connect_timeout = std::chrono::seconds{2};

 private:
  void on_connack(const ConnackView& connack) override;
  void on_message(const PublishView&, AckToken) override {}
  void on_published(PacketId, ReasonCode, PropertiesView) override {}
  void on_ended(const Ending& ending) override { done_(ending); }

  std::function<void(const Ending&)> done_;
  Client client_;
};

}  // namespace mqtt
