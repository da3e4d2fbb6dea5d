#pragma once
#include <string>
#include <string_view>

#include <mqtt/bridge/topic_rule.hpp>
#include <mqtt/client/client.hpp>
#include <mqtt/server/server.hpp>

namespace mqtt::bridge {

/// Client ids that begin so are those of bridges, and nobody else's.
inline constexpr std::string_view local_id_prefix = "$bridge/";
/// Session Expiry Interval of a bridge's sessions: as long as the server lets them (3.1.2.11.2).
inline constexpr std::uint32_t session_never_expires = 0xFFFF'FFFF;
/// ConnectionInfo::listener of a bridge's connection to its own broker. No listener can be called so.
inline constexpr std::string_view inner_listener = "(bridge)";

/// What a bridge is to its own broker: a client with a session, whose queue is the bridge's.
class LocalSession {
 public:
  LocalSession(net::Loop& loop, server::Server& server, const std::string& name, const TopicRules& rules);

  /// Sees to it that there is a session with these subscriptions and no others, connected or not: from then
  /// on nothing is missed. It stays as long as Limits::session_expiry_maximum allows.
  void keep();
  /// As keep(), unless that was done not long ago for the session's life.
  void refresh();
  /// How the connection is to be made. `receive_maximum`: what may be in flight to the bridge.
  [[nodiscard]] ClientOptions options(std::uint16_t receive_maximum) const;
  /// The rules' subscriptions; false if there are none.
  [[nodiscard]] bool add_subscriptions(SubscriptionList& list, RetainHandling retained) const;
  /// The other server knows nothing of what it had begun to send.
  void forget_received();

 private:
  [[nodiscard]] broker::ConnectionInfo info() const;
  [[nodiscard]] Result<std::unique_ptr<net::ByteStream>> connect() const;

  net::Loop& loop_;
  server::Server& server_;
  const std::string id_;
  const TopicRules& rules_;
  TimePoint kept_at_{};
};

}  // namespace mqtt::bridge
