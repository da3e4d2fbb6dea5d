#pragma once
#include <mqtt/codec/decode.hpp>
#include <mqtt/inspect/flow_state.hpp>

namespace mqtt {

/// Octets of a PUBLISH's payload that a Flow keeps; of what is behind them it only counts how many there are,
/// so that nobody who sends 256 MiB fills the memory of who looks on.
inline constexpr std::size_t payload_kept_max = std::size_t{1024} * 1024;

/// A packet as it goes by. Views live as long as the call that hands it over.
struct FlowPacket {
  Step step;
  Sender sender = Sender::client;
  Bytes bytes;  ///< whole, or its front: see `left_out`; what there was of it if its length cannot be read
  Version version = Version::v5;
  std::optional<PacketView> packet{};  ///< nothing: see `fault`
  std::optional<DecodeError> fault{};
  std::string_view topic{};       ///< of a PUBLISH, its alias resolved; empty if that is not known
  std::optional<Step> answers{};  ///< the packet that this one answers
  std::uint64_t left_out = 0;     ///< octets behind `bytes`: the end of a payload above payload_kept_max

  /// Octets that were sent.
  [[nodiscard]] std::uint64_t size() const { return bytes.size() + left_out; }
};

/// How a connection ended.
struct FlowClose {
  enum class How : std::uint8_t { fin, reset, unknown };

  std::optional<Sender> by{};  ///< who closed first
  How how = How::unknown;
  TimePoint time{};
};

class FlowWatcher {
 public:
  virtual ~FlowWatcher() = default;
  /// What goes by, and what was known before it.
  virtual void before_packet(const FlowPacket& packet, const FlowState& state) = 0;
  /// The same, and what is known with it.
  virtual void after_packet(const FlowPacket& packet, const FlowState& state) = 0;
  virtual void on_close(const FlowClose& close, const FlowState& state) = 0;
};

/// Follows both directions of one connection as somebody in between sees them. Its memory is bounded by the
/// packet that is being received in each direction, of a PUBLISH by payload_kept_max and its properties, and
/// by the bounds of FlowState.
class Flow {
 public:
  enum class Start : std::uint8_t {
    connection,  ///< the first octet is the connection's first
    middle,      ///< it began before we looked
    excerpt,     ///< the same, but the first octet of each direction begins a packet
  };

  /// `version` counts until CONNECT says another. Without one, and not from the beginning, it is the first
  /// that packets can be read in.
  explicit Flow(Start start = Start::connection, std::optional<Version> version = {});

  /// The next octets of one direction.
  void receive(Sender sender, TimePoint now, Bytes bytes, FlowWatcher& handler);
  /// The next `count` octets are the end of the payload that is being received, and nobody has kept them. Of
  /// another packet they are a gap.
  void leave_out(Sender sender, TimePoint now, std::uint64_t count, FlowWatcher& handler);
  /// Octets of one direction are missing here. Goes on where packets can be recognised again.
  void gap(Sender sender);
  void close(const FlowClose& close, FlowWatcher& handler);
  /// Nothing more comes from `sender`: what there is of a cut packet is handed over as one with a fault.
  void give_up_rest(Sender sender, TimePoint now, FlowWatcher& handler);

  [[nodiscard]] const FlowState& state() const { return state_; }
  /// What the client's connection before this one left; to be told with its CONNECT.
  void remember(PastSession past) { state_.past = std::move(past); }
  /// Another connection has come with the client id of this one, and perhaps it was accepted.
  void challenge(TimePoint now) { state_.challenged = now; }
  void supersede(TimePoint now) { state_.superseded = now; }
  void assigned_id_taken() { state_.assigned_id_taken = true; }
  /// To be told by whoever takes WebSocket frames apart.
  [[nodiscard]] WebSocketFacts& websocket() { return state_.websocket; }
  /// Octets that belong to no packet that we could recognise.
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }

 private:
  /// A PUBLISH of which enough is kept.
  struct LongPublish {
    std::vector<std::uint8_t> kept;
    std::uint8_t header_size = 0;
    std::uint64_t left_out = 0;  // so far
    std::uint64_t to_come = 0;   // and will be left out
  };
  struct Direction {
    Framer framer;
    std::optional<LongPublish> rest;  // is being received, and the framer holds nothing
    bool seeking = false;             // for a place where a packet begins
  };

  void keep_front(Direction& direction);
  void begin_rest(Direction& direction, std::size_t kept);
  [[nodiscard]] bool take_rest(Sender sender, TimePoint now, std::uint64_t count, FlowWatcher& handler);
  void hand_over(Sender sender, TimePoint now, const Frame& frame, std::uint64_t left_out,
                 FlowWatcher& handler);
  void give_up(Sender sender, TimePoint now, FlowPacket what, const DecodeError& fault, FlowWatcher& handler);
  void pass_on(FlowPacket& packet, FlowWatcher& handler);
  void take_version_of_connect(FlowPacket& packet);
  void decode_frame(const Frame& frame, FlowPacket& out);

  FlowState state_;
  std::array<Direction, 2> directions_;
  std::uint64_t skipped_ = 0;
  bool version_known_;
};

/// Where in `bytes` of `sender` a packet seems to begin: two plausible headers in a row, or one whose packet
/// ends with the octets. Nothing if there is no such place.
[[nodiscard]] std::optional<std::size_t> find_packet_start(Bytes bytes, Sender sender);

}  // namespace mqtt
