#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mqtt/util/time.hpp>

#include "mqspy/replay_script.hpp"

namespace mq::spy {

struct ReplaySettings {
  /// So many times as fast as it was recorded; 0: as fast as the answers allow.
  double speed = 1;
  /// For an answer that was recorded, from when it is waited for.
  mqtt::Duration patience = std::chrono::seconds{10};
};

/// Does what a recorded client did once more, without I/O: packets that go by on the new connection and a
/// time go in; bytes to send come out, and what is different goes to a sink.
///
/// A packet is sent when its time has come and all answers have that came before it in the recording. Packet
/// ids of the client are those of the recording. Where it answered a message of the server's, the message now
/// has another id, and the answer gets that; messages are known again by topic and QoS. One that was not
/// recorded is acknowledged.
class Replay {
 public:
  /// All must outlive it. `sink` gets DifferenceRecords only.
  Replay(const RecordedTalk& talk, ReplaySettings settings, RecordSink& sink);

  void begin(mqtt::TimePoint now);
  /// The next bytes to send; nothing: not yet. What was given last has gone by (on_packet) before the next
  /// call.
  [[nodiscard]] std::optional<std::string> next(mqtt::TimePoint now);
  [[nodiscard]] mqtt::Deadline next_deadline() const;
  /// A packet of the new connection, of either side, in their order.
  void on_packet(const PacketRecord& record);
  /// The server has ended the connection.
  void on_ended(const Link& link, mqtt::TimePoint now);

  /// Nothing more is to be said or waited for: the connection can be closed.
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] std::uint64_t differences() const { return differences_; }

  struct Messages {
    std::uint64_t recorded = 0;  ///< that the server published
    std::uint64_t come = 0;      ///< of them, in the replay
    std::uint64_t others = 0;    ///< that were not recorded
  };
  [[nodiscard]] const Messages& messages() const { return messages_; }

 private:
  using Number = std::uint64_t;  // of a recorded packet

  /// What becomes of a recorded packet of the server's.
  struct Expected {
    bool come = false;
    std::uint16_t id = 0;  // that it has now
  };

  [[nodiscard]] const RecordedPacket& recorded(Number number) const { return talk_.packets[number - 1]; }
  [[nodiscard]] mqtt::TimePoint due(mqtt::TimePoint recorded_at) const;
  [[nodiscard]] bool is_last_word() const;

  [[nodiscard]] std::optional<Number> awaited_before(Number end) const;
  [[nodiscard]] bool waits(mqtt::TimePoint now);
  void give_up_awaited(mqtt::TimePoint now);
  [[nodiscard]] std::optional<std::string> step(mqtt::TimePoint now);
  [[nodiscard]] std::optional<std::string> send(Number number);
  void end_when_due(mqtt::TimePoint now);

  void sent(std::uint64_t live);
  void received(const PacketRecord& record);
  void message(const PacketRecord& record);
  void answer(const PacketRecord& record, Number number);
  [[nodiscard]] std::optional<Number> counterpart(const mqtt::FlowPacket& packet) const;
  void acknowledge(const mqtt::FlowPacket& packet);

  struct Told {
    Number number = 0;  // of the recorded packet; 0: none
    std::uint64_t live = 0;
    std::string_view type;
    std::string_view what;
    std::string_view recorded;
    std::string_view replayed;
  };
  void tell(const Told& told, mqtt::TimePoint now);
  void compare(const mqtt::FlowPacket& packet, Number number);

  const RecordedTalk& talk_;
  ReplaySettings settings_;
  RecordSink& sink_;
  Link link_;

  mqtt::TimePoint began_{};
  Number at_ = 1;                   // the next packet of the recording to look at
  std::vector<Expected> expected_;  // by number
  std::vector<Number> answer_of_;   // the server's to a client's packet; 0: none
  std::set<Number> open_;           // the server's packets, but messages, that may come
  std::map<std::pair<std::string, unsigned>, std::deque<Number>> open_messages_;  // by topic and QoS
  std::map<std::uint64_t, Number> sent_;  // packets of the new connection that are of the recording
  std::optional<Number> sending_;         // goes by next
  std::map<Number, Number> parked_;       // client's answers to messages that have not come yet, by these
  std::deque<std::string> replies_;       // to send at once
  std::deque<Number> released_;           // once parked
  mqtt::Deadline waits_until_;
  mqtt::Deadline wake_;
  std::optional<mqtt::TimePoint> finished_;  // all steps were made
  Messages messages_;
  std::uint64_t differences_ = 0;
  bool over_ = false;
};

}  // namespace mq::spy
