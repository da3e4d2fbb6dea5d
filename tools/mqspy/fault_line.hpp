#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/inspect/flow.hpp>
#include <mqtt/inspect/lint.hpp>

#include "mqspy/fault_rules.hpp"
#include "mqspy/packet_cutter.hpp"
#include "mqspy/record.hpp"

namespace mq::spy {

/// What goes by on a line with faults.
class FaultWatcher {
 public:
  virtual ~FaultWatcher() = default;
  /// Bytes as their sender sent them: a whole packet, or what cannot be cut into packets.
  virtual void on_passing(mqtt::Sender sender, mqtt::Bytes bytes) = 0;
  struct Fired {
    mqtt::Sender sender = mqtt::Sender::client;
    const FaultRule& rule;
    mqtt::Bytes original;
    mqtt::Bytes sent;  ///< in place of it
  };
  virtual void on_fired(const Fired& fired) = 0;
  /// A packet of so many bytes goes by untouched, because it is above PacketCutter::packet_max_bytes.
  virtual void on_too_large(mqtt::Sender sender, std::size_t size) = 0;
};

/// One connection on which faults are made, without I/O: bytes and a time go in; bytes come out, when their
/// time has come. It needs whole packets, and holds up to one in each direction besides what waits, of at
/// most PacketCutter::packet_max_bytes: a larger one passes as it is, no rule counts it, and what rules say
/// in its direction waits for its end. Behind bytes that are no packet everything passes as it is.
class FaultLine {
 public:
  /// `rules` and `link` must outlive it.
  FaultLine(FaultRules& rules, const Link& link);

  void receive(mqtt::Sender sender, mqtt::TimePoint now, mqtt::Bytes bytes, FaultWatcher& watcher);
  /// `sender` has ended its direction: nothing more comes, and what was kept to come later is on its way.
  void end(mqtt::Sender sender, mqtt::TimePoint now, FaultWatcher& watcher);

  /// Lets go of what is due.
  void on_time(mqtt::TimePoint now);
  [[nodiscard]] mqtt::Deadline next_deadline() const;

  /// What `sender`'s peer is to be sent next; taken off as it is written.
  [[nodiscard]] mqtt::Bytes output(mqtt::Sender sender) const;
  void consume(mqtt::Sender sender, std::size_t size);
  /// Nothing of this direction waits or ever will, after its end().
  [[nodiscard]] bool finished(mqtt::Sender sender) const;
  /// A rule ends the connection, now that output() of that direction has been taken.
  [[nodiscard]] std::optional<CloseKind> wants_close() const;
  /// Bytes that wait in one direction, due or not: who lets many wait is not to be read from.
  [[nodiscard]] std::size_t waiting(mqtt::Sender sender) const;

 private:
  /// A stretch of bytes, or the connection's end.
  struct Item {
    std::string bytes{};
    std::size_t released = 0;  // of the bytes
    mqtt::TimePoint due{};
    std::size_t piece_bytes = 0;  // 0: all at once
    mqtt::Duration pause{};       // behind a piece
    std::optional<CloseKind> close{};
  };
  struct Late {
    Item item;
    std::size_t behind = 0;  // so many packets
    mqtt::TimePoint at_last{};
  };
  struct Direction {
    PacketCutter cutter;
    std::deque<Item> queue;
    std::deque<Item> behind_large;  // must not stand in the middle of it
    std::vector<Late> late;
    std::string output;
    std::size_t written = 0;  // of output
    std::size_t queued_bytes = 0;
    mqtt::TimePoint not_before{};  // the next piece
    bool ended = false;
  };
  /// What the rules have made of a packet so far.
  struct Passage;
  class Watch;

  [[nodiscard]] Direction& direction(mqtt::Sender sender) {
    return directions_[static_cast<std::size_t>(sender)];
  }
  [[nodiscard]] const Direction& direction(mqtt::Sender sender) const {
    return directions_[static_cast<std::size_t>(sender)];
  }

  void pass(mqtt::Sender sender, mqtt::TimePoint now, mqtt::Bytes packet, FaultWatcher& watcher);
  void pass_piece(mqtt::Sender sender, mqtt::TimePoint now, const PacketCutter::Cut& cut,
                  FaultWatcher& watcher);
  void pass_raw(mqtt::Sender sender, mqtt::TimePoint now, mqtt::Bytes bytes, FaultWatcher& watcher);
  void disturb(const PacketRecord& record, Passage& passage, FaultWatcher& watcher);
  void apply(const FaultAction& action, const mqtt::FlowPacket& packet, Passage& passage);
  static void reply(const FaultAction& action, const mqtt::FlowPacket& packet, Passage& passage);
  static void disconnect(const FaultAction& action, const mqtt::FlowPacket& packet, Passage& passage);
  void send_on(const Passage& passage);
  /// What one of us says in the name of `sender`.
  void say(mqtt::Sender sender, mqtt::TimePoint now, const std::string& packet, FaultWatcher& watcher);
  void enqueue(mqtt::Sender sender, Item item);
  void end_large(mqtt::Sender sender);
  template <class Enough>
  void let_pass(mqtt::Sender sender, Enough enough);
  [[nodiscard]] bool release_front(mqtt::Sender sender, mqtt::TimePoint now);
  [[nodiscard]] mqtt::TimePoint front_due(const Direction& from) const;

  FaultRules& rules_;
  const Link& link_;
  mqtt::Flow flow_;
  std::array<Direction, 2> directions_;
  mqtt::TimePoint held_until_{};
  std::optional<CloseKind> close_;
  mqtt::Sender close_behind_ = mqtt::Sender::client;  // its bytes
};

}  // namespace mq::spy
