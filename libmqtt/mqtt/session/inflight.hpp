#pragma once
#include <cstdint>
#include <vector>

#include <mqtt/session/id_table.hpp>
#include <mqtt/session/stored_message.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt {

/// The QoS 1 and QoS 2 messages that we sent and that have no final answer, in the order in which
/// their last packet left: PUBLISH when it was first sent, moved to the end as PUBREL when PUBREC came.
/// That is the order for sending again [MQTT-4.6.0-1] [MQTT-4.6.0-4]. Storage is reused; what a burst took
/// goes with the last of them.
class Inflight {
 public:
  enum class Stage : std::uint8_t { published, released };  ///< awaits PUBACK or PUBREC; awaits PUBCOMP

  /// A message on its way, until the last packet of its QoS has come.
  struct Entry {
    StoredMessage message;  ///< empty once released: only the identifier matters then
    Deadline expires;       ///< when its Message Expiry Interval is over, if a repetition is to say so
    PacketId id = 0;
    QoS qos = QoS::at_most_once;
    Stage stage = Stage::published;
    ReasonCode reason = ReasonCode::success;  ///< of PUBREC, once released
    bool dup = false;                         ///< the next PUBLISH of it is a repetition
    bool sent = false;                        ///< its packet left on the present connection

   private:
    friend class Inflight;
    std::uint32_t previous = 0;
    std::uint32_t next = 0;
  };

  [[nodiscard]] std::size_t size() const { return index_.size(); }
  /// Of these, how many have their packet on the present connection.
  [[nodiscard]] std::size_t sent() const { return sent_; }
  /// Bytes of the messages kept: topics, properties, payloads.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// What they and their places take, without the payloads that have other owners.
  [[nodiscard]] std::size_t memory_bytes() const { return own_bytes_ + index_.size() * sizeof(Entry); }
  [[nodiscard]] bool contains(PacketId id) const { return index_.contains(id); }
  /// Null if the id is not in flight. Valid until the next add().
  [[nodiscard]] const Entry* find(PacketId id) const;

  /// `id` must be free.
  void add(PacketId id, const PublishView& message, const SharedBytes& payload, Deadline expires = {});
  void mark_sent(PacketId id);
  /// PUBREC came: the message itself is no longer needed.
  void release(PacketId id, ReasonCode reason);
  void remove(PacketId id);
  void clear();

  /// A new connection on which the peer still has the session (`dup`), or one on which it has not.
  void begin_connection(bool dup);

  /// Oldest first; null at the end. `after` null starts.
  [[nodiscard]] const Entry* next(const Entry* after = nullptr) const;

 private:
  void forget_message(Entry& entry);
  void link_at_end(std::uint32_t slot);
  void unlink(std::uint32_t slot);
  [[nodiscard]] std::uint32_t take_slot();
  [[nodiscard]] std::uint32_t first() const { return slots_.empty() ? 0 : slots_[0].next; }

  std::vector<Entry> slots_;  // [0] is the list's anchor; empty until there is something to keep
  std::vector<std::uint32_t> free_;
  IdTable<std::uint32_t> index_;
  std::size_t sent_ = 0;
  std::size_t bytes_ = 0;
  std::size_t own_bytes_ = 0;
};

}  // namespace mqtt
