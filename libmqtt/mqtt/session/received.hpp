#pragma once
#include <cstdint>
#include <optional>
#include <vector>

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

  /// How far a received message of QoS 1 or 2 has come.
  struct Record {
    Stage stage = Stage::handed_over;
    ReasonCode reason = ReasonCode::success;  ///< of the owner's answer
    bool counted = false;  ///< counts against our Receive Maximum on the present connection
    AckToken token{};      ///< as it was handed over
    AckToken place{};      ///< in the present AckQueue; empty if it does not stand there
  };

  [[nodiscard]] std::size_t size() const { return records_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const { return records_.memory_bytes(); }
  [[nodiscard]] Record* find(PacketId id) { return records_.find(id); }
  /// Pointers from find() are void afterwards.
  void put(PacketId id, const Record& record) { records_.put(id, record); }
  void remove(PacketId id) { records_.erase(id); }
  void clear() { records_.clear(); }
  void begin_connection();
  /// In no particular order; `visit` gets the id.
  template <class Visit>
  void for_each_id(Visit visit) {
    records_.for_each([&](PacketId id, const Record&) { visit(id); });
  }

 private:
  IdTable<Record> records_;
};

/// An acknowledgement that may leave.
struct ReadyAck {
  AckToken token;
  QoS qos = QoS::at_most_once;
  ReasonCode reason = ReasonCode::success;
  Properties properties;
};

/// The received messages of one connection that were not acknowledged, in order of arrival, which is
/// the order in which PUBACK and PUBREC must leave [MQTT-4.6.0-2] [MQTT-4.6.0-3]. A ring that keeps its
/// storage, up to some places, while it is empty.
class AckQueue {
 public:
  /// A new connection. Tokens of the former are known by their epoch from then on.
  void begin_connection(std::uint32_t epoch);

  AckToken push(PacketId id, QoS qos);
  /// The QoS of a message that waits here and was not acknowledged; nothing for any other token.
  [[nodiscard]] std::optional<QoS> find(const AckToken& token) const;
  /// `token` must be one that find() knows.
  void acknowledge(const AckToken& token, ReasonCode reason, PropertiesView properties);
  /// The oldest message, taken out, if it was acknowledged.
  [[nodiscard]] std::optional<ReadyAck> pop();

  [[nodiscard]] std::size_t size() const { return size_; }
  /// Of this connection's tokens.
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }

 private:
  struct Place : ReadyAck {
    bool acknowledged = false;
  };

  [[nodiscard]] Place& at(std::uint32_t sequence) { return ring_[sequence & (ring_.size() - 1)]; }
  [[nodiscard]] const Place& at(std::uint32_t sequence) const { return ring_[sequence & (ring_.size() - 1)]; }
  void grow();

  std::vector<Place> ring_;  // a power of two; a message's place is its sequence
  std::size_t size_ = 0;
  std::uint32_t epoch_ = 0;
  std::uint32_t first_ = 0;  // sequence of the oldest
};

}  // namespace mqtt
