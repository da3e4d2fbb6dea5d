#pragma once
#include <cstdint>
#include <deque>
#include <optional>

#include <mqtt/session/id_table.hpp>
#include <mqtt/session/session_handler.hpp>

namespace mqtt {

/// What must be remembered of received QoS 2 messages, beyond a connection, until PUBREL: the method
/// of 4.3.3 that hands a message over when PUBLISH comes and knows its repetitions by the identifier.
class ReceivedIds {
 public:
  enum class Stage : std::uint8_t {
    handed_over,  ///< the owner has it and has not answered
    answered,     ///< the owner has answered, PUBREC was not queued yet
    recorded,     ///< PUBREC was queued; PUBREL is awaited
  };

  struct Record {
    Stage stage = Stage::handed_over;
    ReasonCode reason = ReasonCode::success;  ///< of the owner's answer
    bool waits = false;                       ///< a place in AckQueue stands for it
    bool counted = false;  ///< counts against our Receive Maximum on the present connection
    AckToken token;        ///< as it was handed over
  };

  [[nodiscard]] Record* find(PacketId id) { return records_.find(id); }
  Record& add(AckToken token) { return records_.put(token.id, Record{.token = token}); }
  void remove(PacketId id) { records_.erase(id); }
  void clear() { records_.clear(); }
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  void begin_connection();

 private:
  IdTable<Record> records_;
};

/// An acknowledgement that may leave.
struct ReadyAck {
  PacketId id = 0;
  QoS qos = QoS::at_most_once;
  ReasonCode reason = ReasonCode::success;
  Properties properties;
};

/// The received messages of one connection that were not acknowledged, in order of arrival, which is
/// the order in which PUBACK and PUBREC must leave [MQTT-4.6.0-2] [MQTT-4.6.0-3].
class AckQueue {
 public:
  /// A new connection. Tokens of the former are known by their epoch from then on.
  void begin_connection();

  AckToken push(PacketId id, QoS qos);
  /// False if the token is of another connection, or was acknowledged before.
  bool acknowledge(const AckToken& token, ReasonCode reason, PropertiesView properties);
  /// The oldest message, if it was acknowledged, taken out.
  [[nodiscard]] std::optional<ReadyAck> pop();

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }

 private:
  struct Waiting : ReadyAck {
    bool acknowledged = false;
  };

  std::deque<Waiting> waiting_;
  std::uint32_t epoch_ = 0;
  std::uint32_t first_sequence_ = 0;
};

}  // namespace mqtt
