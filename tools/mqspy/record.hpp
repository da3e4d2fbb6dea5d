#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <mqtt/inspect/flow.hpp>
#include <mqtt/inspect/lint.hpp>

// What mqspy tells: records, and whoever takes them. Times are those of the capture or of the proxy, counted
// from 1970 in UTC. Views live as long as the call.

namespace mq::spy {

/// A connection that is watched.
struct Link {
  std::uint64_t number = 0;  ///< 1, 2 …: c1, c2
  std::string client;        ///< address, "10.0.0.7:51234"; empty if there is none
  std::string server;
  std::string transport;  ///< what MQTT came in: "tcp", "ws", "tls"; empty if that is not known
  /// It began before it was watched, or only some of its packets are there.
  bool partial = false;
  mqtt::TimePoint opened{};
};

struct OpenRecord {
  const Link& link;
};

/// QoS 1 and 2 messages under way.
struct InFlight {
  std::size_t from_client = 0;
  std::size_t from_server = 0;
};

struct PacketRecord {
  const Link& link;
  const mqtt::FlowPacket& packet;  ///< its number counts the packets of the connection, both ways
  const mqtt::FlowState& state;    ///< with this packet
  InFlight in_flight;
  std::span<const mqtt::Finding> findings;

  /// Since the packet that it answers.
  [[nodiscard]] std::optional<mqtt::Duration> latency() const {
    if (!packet.answers) return std::nullopt;
    return packet.step.time - packet.answers->time;
  }
};

struct CloseRecord {
  const Link& link;
  const mqtt::FlowClose& close;
  const mqtt::FlowState& state;
  std::span<const mqtt::Finding> findings;  ///< that only the end shows
  std::string_view cause;                   ///< as in mqtt::PostMortem
  std::string_view why;                     ///< a sentence
  const mqtt::Finding* last_error = nullptr;
};

/// Bytes of one direction are missing.
struct GapRecord {
  const Link& link;
  mqtt::TimePoint time;
  mqtt::Sender sender;
  std::uint64_t bytes = 0;  ///< 0: nobody knows how many
};

/// The proxy disturbed something on purpose.
struct FaultRecord {
  const Link& link;
  mqtt::TimePoint time;
  mqtt::Sender sender;
  std::uint64_t packet = 0;  ///< its number on the connection, 0 for none
  std::string_view rule;     ///< as the user wrote it
  std::string_view action;   ///< "drop", "delay 200ms"
  mqtt::Bytes original;
  mqtt::Bytes sent;
};

/// What else there is to say: TLS that cannot be read, a capture that is cut.
struct NoteRecord {
  const Link* link = nullptr;  ///< null: of all of it
  std::optional<mqtt::TimePoint> time;
  std::string_view text;
};

/// In a replay the server has answered something else than it had in the recording.
struct DifferenceRecord {
  const Link& link;
  mqtt::TimePoint time;
  std::uint64_t packet = 0;           ///< the answer's number on the connection; 0: there is none
  std::uint64_t recorded_packet = 0;  ///< its number in the recording; 0: there is none
  std::string_view type;              ///< of the recorded answer: "CONNACK"; "CLOSE" of the connection's end
  std::string_view what;              ///< "reason", "session_present", "missing"
  std::string_view recorded;
  std::string_view replayed;
};

/// Takes records, in the order of their times. One may stand before another and let through what it chooses.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void on_open(const OpenRecord& record) = 0;
  virtual void on_packet(const PacketRecord& record) = 0;
  virtual void on_close(const CloseRecord& record) = 0;
  virtual void on_gap(const GapRecord& record) = 0;
  virtual void on_fault(const FaultRecord& record) = 0;
  virtual void on_note(const NoteRecord& record) = 0;
  virtual void on_difference(const DifferenceRecord&) {}
  /// Nothing more comes.
  virtual void on_end() {}
};

}  // namespace mq::spy
