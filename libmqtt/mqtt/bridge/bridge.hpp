#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/bridge/relay.hpp>
#include <mqtt/bridge/topic_rule.hpp>
#include <mqtt/client/client.hpp>
#include <mqtt/server/server.hpp>

namespace mqtt::bridge {

/// What a bridge relays, and where to.
struct BridgeConfig {
  /// Of its session at this broker and under $SYS/broker/connection, so each bridge has another one.
  std::string name;
  std::vector<TopicRule> rules;
  /// How to reach the remote server, and as whom: the client id is that of a session there, which the bridge
  /// keeps. What makes it a bridge (session, acknowledgements, reconnecting) is set by it, but for the
  /// delays.
  ClientOptions remote;
};

/// What an operator wants to read of a bridge. Views live for the call.
class BridgeEvents : public RelayEvents {
 public:
  /// Messages flow.
  virtual void on_bridged(Version version, std::string_view peer, bool session_present) = 0;
  /// No connection; the next attempt is after `delay`.
  virtual void on_bridge_down(const Ending& ending, Duration delay) = 0;
  virtual void on_subscription_refused(std::string_view filter, ReasonCode code) = 0;
  /// The bridge's own broker does not let it in, or has ended the connection; it tries again.
  virtual void on_inner_connection_lost(const Ending& ending) = 0;

 protected:
  ~BridgeEvents() = default;
};

/// How a bridge is at the moment.
struct BridgeStatus {
  bool connected = false;  ///< messages flow
  RelayCounters messages;
};

/// A client of two servers, of its own broker and of a remote one, that relays between their sessions
/// (Relay). What waits for the remote server waits in the session at this broker, within its limits, and in
/// its store.
class Bridge {
 public:
  /// `server` and `events` outlive the bridge. `secret` is random.
  Bridge(net::Loop& loop, server::Server& server, BridgeConfig config, BridgeEvents& events, SipKey secret);
  ~Bridge();
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  /// Before anybody else comes in. From here on nothing is missed, whether or not there is a connection.
  void start();
  /// Ends for good, with a DISCONNECT. The sessions stay.
  void stop();
  [[nodiscard]] BridgeStatus status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::bridge
