#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/broker/broker.hpp>
#include <mqtt/net/listener.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/stream.hpp>

namespace mqtt::server {

/// One place to listen, under one name.
struct ListenerConfig {
  std::string name;  ///< in ConnectionInfo and events; up to 15 characters cost a connection nothing
  /// `address` is not used, and handshake_timeout is the broker's connect_timeout. Port 0: the system's
  /// choice, the same one for all addresses.
  net::ListenOptions listen;
  /// IP literals, each of which has to work. Empty, without unix_path or fd: 127.0.0.1 and, on a machine
  /// that has it, ::1.
  std::vector<std::string> addresses;
  std::size_t connections_max = 0;  ///< through this listener; 0: as many as the server takes
};

/// A broker, where it listens, and how long it waits for clients.
struct ServerConfig {
  broker::BrokerConfig broker;
  std::vector<ListenerConfig> listeners;
  /// The loop's own is one of them, and the broker's; the others carry the connections that listeners accept:
  /// sockets, PROXY header, TLS, WebSocket. Those of TLS and others have different ones; with 2, the loop has
  /// the others. QoS 0 messages may go from one to the other past the broker, which then counts them up to
  /// 250 ms later (Broker::find_route(); BrokerEvents::wants_messages()). 1: the loop does all that, too.
  std::size_t threads = 1;
  /// 0: as many as RLIMIT_NOFILE has descriptors for, less a reserve for everything else.
  std::size_t connections_max = 0;
  /// How long a client that does not read can hold up the packets that end its connection.
  Duration drain_timeout = std::chrono::seconds{2};
  /// How long a client that asks for more than it takes the answers of, and so is not read from any more,
  /// may take nothing at all.
  Duration stall_timeout = std::chrono::minutes{2};
  /// How long a client has to close its end after those. Whoever closes without waiting takes back, by a
  /// TCP reset, what the client has not read yet.
  Duration linger_timeout = std::chrono::seconds{1};
};

/// What the broker's own Counters do not know.
struct ServerCounters {
  std::size_t connections = 0;  ///< now, those that are closing included
  std::uint64_t accepted = 0;   ///< given to the broker
  std::uint64_t surplus = 0;    ///< turned away, because there were connections_max
  std::uint64_t failed = 0;     ///< failed handshakes, and accepts without a descriptor left
};

/// Hears what an operator may want to read in a log, besides BrokerEvents. It must not destroy the server.
class ServerEvents {
 public:
  virtual ~ServerEvents() = default;
  /// A connection begins: the place for its set_observer().
  virtual void on_opened(broker::Connection&) {}
  /// The broker lets go of it; what it was sent last is told already.
  virtual void on_closed(const broker::Connection&) {}
  /// `count` connections since the last call did not come to be; `why` is about the last of them.
  /// Bursts are told one by one, floods about once per second.
  virtual void on_turned_away(std::string_view /*listener*/, const Error& /*why*/, std::uint64_t /*count*/) {}
  /// The store could not commit: who was to be told of something that is not kept is cut off, and no more of
  /// that is taken until it can again.
  virtual void on_store_failed(const Error&) {}
  virtual void on_store_recovered() {}
};

/// A Broker on listeners in a loop. Destroying it is like pulling the plug: no DISCONNECT, no Will.
class Server {
 public:
  /// Listens when it returns. Errors name the address: "cannot listen on 127.0.0.1:1883: ...".
  /// `services` and `events` outlive the server; `secret` is the broker's.
  [[nodiscard]] static Result<std::unique_ptr<Server>> open(net::Loop& loop, ServerConfig config,
                                                            broker::BrokerServices services,
                                                            ServerEvents& events, SipKey secret);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Where it listens, in the order of the configuration: "mqtt://127.0.0.1:1883", "mqtts://[::1]:8883",
  /// "ws://127.0.0.1:8080/mqtt", "wss://...", "unix:///run/mqtt.sock".
  [[nodiscard]] const std::vector<std::string>& urls() const;

  /// Stops listening, tells the clients (0x8B), writes what is queued and closes, all within
  /// drain_timeout and linger_timeout; then calls `done`, which may destroy the server. From there on
  /// nothing of the server keeps the loop running. A second call does not wait any longer.
  void shut_down(std::function<void()> done);

  /// For connections from now on: certificates that were renewed. `listener` is an index of the
  /// configuration's, which did TLS before.
  void set_tls(std::size_t listener, const std::shared_ptr<const net::TlsContext>& tls);

  /// A connection that did not come through a listener: from inside the program. It counts in
  /// connections_max, but is never turned away.
  void adopt(std::unique_ptr<net::ByteStream> stream, broker::ConnectionInfo info);

  /// A client that says `packets` and is gone, all within this call, without a transport. Nobody hears the
  /// answer.
  void hear(broker::ConnectionInfo info, Bytes packets);

  [[nodiscard]] broker::Broker& broker();
  [[nodiscard]] const ServerCounters& counters() const;
  /// In force: that of the configuration, or what the descriptors allow.
  [[nodiscard]] std::size_t connections_max() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::server
