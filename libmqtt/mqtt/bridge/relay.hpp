#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <mqtt/bridge/echoes.hpp>
#include <mqtt/bridge/topic_rule.hpp>
#include <mqtt/session/client_session.hpp>
#include <mqtt/session/stored_message.hpp>

namespace mqtt::bridge {

enum class Way : std::uint8_t { out, in };  ///< seen from this broker

/// What a Relay tells its owner. Views live for the call.
class RelayEvents {
 public:
  /// A message cannot be said on the other side: its topic is no topic there, or it is too large.
  virtual void on_dropped(Way way, std::string_view topic, const Error& why) = 0;
  /// The receiving side does not take a QoS 1 or 2 message, for good.
  virtual void on_refused(Way way, ReasonCode reason) = 0;
  /// The receiving side has no room now. Nothing was acknowledged: the connections have to begin anew, later.
  virtual void on_no_room(Way way) = 0;

 protected:
  ~RelayEvents() = default;
};

/// Messages since the start.
struct RelayCounters {
  std::uint64_t passed_out = 0;  ///< messages, repetitions too
  std::uint64_t passed_in = 0;
  std::uint64_t dropped = 0;  ///< both ways
  std::uint64_t refused = 0;  ///< both ways
  std::uint64_t echoes = 0;   ///< our own, which a server before 5.0 had sent back
};

/// All of them, by the names that $SYS, metrics and pages give them.
struct RelayNumber {
  std::string_view name;
  std::uint64_t count;
};
[[nodiscard]] std::array<RelayNumber, 5> numbers_of(const RelayCounters& counters);

/// Between two servers, to both of which it is a client with a session: a message goes from one to the other
/// with its packet identifier, and so do PUBACK, PUBREC, PUBREL and PUBCOMP. So one server answers the other,
/// and what is in flight is known to them alone: nothing is acknowledged before the receiver has it, and a
/// message of QoS 2 is there once however often connections, or this process, begin anew. No I/O.
class Relay {
 public:
  /// All outlive the relay, and sessions until end().
  Relay(const TopicRules& rules, RelayEvents& events, SipKey key)
      : rules_{rules}, events_{events}, echoes_{key} {}

  /// The remote server has accepted the session. `sends_back`: it knows neither No Local nor bridges.
  void begin_remote(ClientSession& session, bool sends_back);
  /// So has this broker: what has come in meanwhile goes on.
  void begin_local(TimePoint now, ClientSession& session);
  /// Both connections are over.
  void end();

  void from_local(TimePoint now, const PublishView& message);
  void from_remote(TimePoint now, const PublishView& message);
  void flow_from_local(TimePoint now, PacketType type, const AckView& ack);
  void flow_from_remote(TimePoint now, PacketType type, const AckView& ack);

  /// Messages wait for this broker: the remote one is not to be read from.
  [[nodiscard]] bool holds() const { return !held_.empty(); }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }
  [[nodiscard]] const RelayCounters& counters() const { return counters_; }

 private:
  struct Side {
    ClientSession* session = nullptr;
    /// Of messages that came from there and end here: their PUBREL is answered by us.
    std::unordered_set<PacketId> answered;
    /// QoS 2 messages that went there with QoS 1.
    std::unordered_set<PacketId> lowered;
  };
  struct Held {
    StoredMessage message;
    PacketId id;
    bool dup;
  };

  void pass(TimePoint now, Side& from, Side& to, Way way, const PublishView& message, std::string_view topic);
  [[nodiscard]] Properties to_pass_on(Way way, PropertiesView properties) const;
  void pass_to_local(TimePoint now, const PublishView& message);
  void pass_flow(TimePoint now, Side& from, Side& to, Way way, PacketType type, const AckView& ack);
  void pass_held(TimePoint now);
  void hold(const PublishView& message);
  [[nodiscard]] bool local_takes(const PublishView& message) const;
  void settle(TimePoint now, Side& from, const PublishView& message);
  void drop(TimePoint now, Side& from, Way way, const PublishView& message, const Error& why);
  void answer(TimePoint now, Side& to, PacketType type, PacketId id, ReasonCode reason);
  [[nodiscard]] bool is_echo(TimePoint now, const PublishView& message);

  const TopicRules& rules_;
  RelayEvents& events_;
  Echoes echoes_;
  Side local_;
  Side remote_;
  std::unordered_set<PacketId> open_;  // QoS 1 and 2 messages on their way to this broker
  std::deque<Held> held_;              // for this broker
  std::vector<PacketId> held_releases_;
  std::size_t held_bytes_ = 0;
  bool sends_back_ = false;
  RelayCounters counters_;
};

}  // namespace mqtt::bridge
