#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/net/ws_frames.hpp>

#include "mqspy/layers.hpp"
#include "mqspy/reassembly.hpp"
#include "mqspy/recorder.hpp"

namespace mq::spy {

/// What the first bytes of a connection show, whatever its port.
enum class Content : std::uint8_t { undecided, mqtt, websocket, tls, other };

/// What begins so, sent by a client on a connection that is seen from its start; undecided: more is needed.
[[nodiscard]] Content recognize(mqtt::Bytes begin);

/// How many whole packets `bytes` are, one behind the other; 0 if they are something else.
[[nodiscard]] std::size_t count_packets(mqtt::Bytes bytes, mqtt::Sender sender);

/// One connection's bytes: finds out whether they are MQTT, perhaps in WebSocket frames or behind a PROXY
/// preamble, and who is the client; what is MQTT goes to a Recorder.
class ConnectionContent final : public StreamHandler {
 public:
  /// `first` and `second` are the ends of sides 0 and 1. `tls` counts what cannot be read.
  ConnectionContent(Recorder& recorder, std::uint64_t& tls, const NetEnd& first, const NetEnd& second);

  /// Seen from its start, which `client` asked for.
  void began_with_syn(unsigned client, mqtt::TimePoint time);
  /// It is MQTT, because whoever wrote the file says so: from a packet's first byte, but perhaps not from
  /// the connection's first packet.
  void exported() { exported_ = true; }
  void on_bytes(unsigned side, mqtt::TimePoint time, mqtt::Bytes bytes) override;
  void on_missing(unsigned side, mqtt::TimePoint time, std::uint64_t bytes) override;
  /// Of what was exported: the packet goes on, and nobody has kept that.
  void on_left_out(unsigned side, mqtt::TimePoint time, std::uint64_t bytes);
  void close(std::optional<unsigned> by, mqtt::FlowClose::How how, mqtt::TimePoint time);

  [[nodiscard]] bool is_mqtt() const { return id_.has_value(); }

 private:
  /// What has to wait until it is known what it is.
  struct Piece {
    unsigned side;
    mqtt::TimePoint time;
    std::vector<std::uint8_t> bytes;
  };
  /// One direction of a WebSocket connection.
  struct WebSocket {
    explicit WebSocket(mqtt::net::WsRole role) : frames{role} {}
    mqtt::net::WsFrames frames;
    mqtt::net::Intake intake;
    std::string head;
    bool framed = false;  ///< behind the head
    bool over = false;
  };

  void wait(unsigned side, mqtt::TimePoint time, mqtt::Bytes bytes);
  [[nodiscard]] Content judge();
  [[nodiscard]] Content judge_start(unsigned side);
  [[nodiscard]] Content judge_middle();
  void decide(Content content);
  void open(std::string_view transport);
  void replay();
  void ignore(std::string_view why);
  void take(unsigned side, mqtt::TimePoint time, mqtt::Bytes bytes);
  void take_websocket(unsigned side, mqtt::TimePoint time, mqtt::Bytes bytes);
  [[nodiscard]] mqtt::Bytes take_head(WebSocket& ws, unsigned side, mqtt::Bytes bytes);
  void tell_text_frame(unsigned side);
  void take_frames(WebSocket& ws, unsigned side, mqtt::TimePoint time);
  [[nodiscard]] mqtt::Sender sender_of(unsigned side) const {
    return side == client_ ? mqtt::Sender::client : mqtt::Sender::server;
  }
  [[nodiscard]] bool usual_port() const;
  [[nodiscard]] std::string ends() const;

  Recorder& recorder_;
  std::uint64_t& tls_;
  std::array<NetEnd, 2> ends_;
  Content content_ = Content::undecided;
  bool from_start_ = false;
  bool exported_ = false;
  unsigned client_ = 0;
  std::optional<mqtt::TimePoint> began_;
  std::vector<Piece> pieces_;
  std::array<std::string, 2> early_;  // their bytes, by side
  std::size_t skip_ = 0;              // bytes of a PROXY preamble
  std::string behind_;                // whom the preamble speaks of
  std::optional<Recorder::Id> id_;
  std::array<std::unique_ptr<WebSocket>, 2> ws_;
};

}  // namespace mq::spy
