#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/inspect/neighbours.hpp>

#include "mqspy/record.hpp"
#include "mqspy/takeovers.hpp"

namespace mq::spy {

/// What a source knows of a connection when it begins.
struct LinkInfo {
  std::string client;
  std::string server;
  std::string transport;
  mqtt::Flow::Start start = mqtt::Flow::Start::connection;
  std::optional<mqtt::Version> version{};  ///< if it is known before CONNECT says it, or without
};

struct RecorderLimits {
  /// Connections that are followed at once: one more ends the following of the oldest, and is said.
  std::size_t connections_max = 65'536;
};

/// Follows and judges connections, whatever they come from: bytes of MQTT and a time go in, records come
/// out.
class Recorder {
 public:
  using Id = std::uint64_t;

  /// `sink` must outlive it.
  explicit Recorder(RecordSink& sink, RecorderLimits limits = {});
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  [[nodiscard]] Id open(LinkInfo info, mqtt::TimePoint now);
  /// The next bytes of one direction. Unknown ids, here and below, are of connections that are followed no
  /// more.
  void receive(Id id, mqtt::Sender sender, mqtt::TimePoint now, mqtt::Bytes bytes);
  /// Bytes are missing here; 0: nobody knows how many.
  void gap(Id id, mqtt::Sender sender, mqtt::TimePoint now, std::uint64_t bytes);
  /// As Flow::leave_out().
  void leave_out(Id id, mqtt::Sender sender, mqtt::TimePoint now, std::uint64_t bytes);
  /// What there is of a cut packet is shown as one that is broken.
  void give_up_rest(Id id, mqtt::Sender sender, mqtt::TimePoint now);
  /// What was seen of WebSocket below the connection; null if it is not followed.
  [[nodiscard]] mqtt::WebSocketFacts* websocket(Id id);
  void close(Id id, const mqtt::FlowClose& close);

  /// The proxy has done something to the connection; `link` of the record is ours to fill in.
  struct Disturbance {
    mqtt::TimePoint time;
    mqtt::Sender sender = mqtt::Sender::client;
    std::string_view rule;
    std::string_view action;
    mqtt::Bytes original;
    mqtt::Bytes sent;
  };
  void disturbed(Id id, const Disturbance& what);
  void note(std::string_view text, std::optional<mqtt::TimePoint> time = {}, std::optional<Id> id = {});

  /// Nothing more comes: what is open ends as "nobody saw how".
  void finish(mqtt::TimePoint now);

  /// What is known of a connection; null if it is not followed.
  [[nodiscard]] const mqtt::FlowState* state(Id id) const;

 private:
  class Tracked;

  [[nodiscard]] Tracked* find(Id id) const;

  RecordSink& sink_;
  RecorderLimits limits_;
  Takeovers takeovers_;
  mqtt::Neighbours neighbours_;
  std::map<Id, std::unique_ptr<Tracked>> open_;  // by age
  mutable Id last_id_ = 0;                       // of last_, which most calls are about
  mutable Tracked* last_ = nullptr;
  Id opened_ = 0;
};

}  // namespace mq::spy
