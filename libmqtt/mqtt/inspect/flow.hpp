#pragma once
#include <mqtt/codec/decode.hpp>
#include <mqtt/inspect/flow_state.hpp>

namespace mqtt {

/// Bytes of a PUBLISH's payload that a Flow keeps; of what is behind them it only counts how many there are,
/// so that nobody who sends 256 MiB fills the memory of who looks on.
inline constexpr std::size_t payload_kept_max = std::size_t{1024} * 1024;
/// A larger packet, of a PUBLISH what stands in front of its payload, is not read: only unread_kept bytes of
/// it are kept, and the others are counted.
inline constexpr std::size_t packet_kept_max = std::size_t{1024} * 1024;
inline constexpr std::size_t unread_kept = 4096;

/// A packet as it goes by. Views live as long as the call that hands it over.
struct FlowPacket {
  Step step;
  Sender sender = Sender::client;
  Bytes bytes;  ///< whole, or its front: see `left_out`; what there was of it if its length cannot be read
  Version version = Version::v5;
  std::optional<PacketView> packet{};  ///< nothing: it is broken, or above packet_kept_max
  const Reading* broken = nullptr;     ///< of one with faults, of which there is one at least
  std::string_view topic{};            ///< of a PUBLISH, its alias resolved; empty if that is not known
  std::optional<Step> answers{};       ///< the packet that this one answers
  std::uint64_t left_out = 0;          ///< bytes behind `bytes`, which nobody has kept

  /// What can be read of it: all of a whole one. Null if nothing can.
  [[nodiscard]] const PacketView* readable() const {
    const auto& view = broken ? broken->packet : packet;
    return view ? &*view : nullptr;
  }
  /// Bytes that were sent.
  [[nodiscard]] std::uint64_t size() const { return bytes.size() + left_out; }
};

/// How a connection ended.
struct FlowClose {
  enum class How : std::uint8_t { fin, reset, unknown };

  std::optional<Sender> by{};  ///< who closed first
  How how = How::unknown;
  TimePoint time{};
};

/// Is told of each packet of a Flow, and of the connection's end. Views live for the call.
class FlowWatcher {
 public:
  virtual ~FlowWatcher() = default;
  /// What goes by, and what was known before it.
  virtual void before_packet(const FlowPacket& packet, const FlowState& state) = 0;
  /// The same, and what is known with it.
  virtual void after_packet(const FlowPacket& packet, const FlowState& state) = 0;
  virtual void on_close(const FlowClose& close, const FlowState& state) = 0;
};

/// Follows both directions of one connection as somebody in between sees them. Its memory is bounded by what
/// it keeps of the packet that is being received in each direction, packet_kept_max and of a PUBLISH
/// payload_kept_max besides, and by the bounds of FlowState.
class Flow {
 public:
  enum class Start : std::uint8_t {
    connection,  ///< the first byte is the connection's first
    middle,      ///< it began before we looked
    excerpt,     ///< the same, but the first byte of each direction begins a packet
  };

  /// `version` counts until CONNECT says another. Without one, and not from the beginning, it is the first
  /// that packets can be read in.
  explicit Flow(Start start = Start::connection, std::optional<Version> version = {});

  /// The next bytes of one direction.
  void receive(Sender sender, TimePoint now, Bytes bytes, FlowWatcher& handler);
  /// The next `count` bytes are the end of the payload that is being received, or of a packet above
  /// packet_kept_max, and nobody has kept them. Of another packet they are a gap.
  void leave_out(Sender sender, TimePoint now, std::uint64_t count, FlowWatcher& handler);
  /// Bytes of one direction are missing here. Goes on where packets can be recognised again.
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
  /// Bytes that belong to no packet that we could recognise.
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }

 private:
  /// A packet of which enough is kept.
  struct LongPacket {
    std::vector<std::uint8_t> kept;
    std::uint8_t header_size = 0;
    bool unread = false;
    std::uint64_t left_out = 0;  // so far
    std::uint64_t to_come = 0;   // and will be left out
  };
  struct Direction {
    Framer framer;
    std::optional<LongPacket> rest;  // is being received, and the framer holds nothing
    bool seeking = false;            // for a place where a packet begins
  };
  /// What is kept of a packet.
  struct Keeping {
    std::size_t size = 0;
    bool unread = false;
  };

  void keep_front(Direction& direction);
  void begin_rest(Direction& direction, Keeping keeping);
  [[nodiscard]] static Keeping keeping_of(Bytes front, std::size_t header_size, std::size_t packet_size,
                                          Version version);
  [[nodiscard]] bool take_rest(Sender sender, TimePoint now, std::uint64_t count, FlowWatcher& handler);
  void hand_over(FlowPacket& packet, std::uint8_t header_size, FlowWatcher& handler);
  void hand_over_broken(FlowPacket& packet, const Frame& frame, FlowWatcher& handler);
  void give_up_stream(Sender sender, TimePoint now, Bytes bytes, FlowWatcher& handler);
  void give_up(FlowPacket packet, Reading broken, FlowWatcher& handler);
  [[nodiscard]] FlowPacket next_packet(Sender sender, TimePoint now, Bytes kept, std::uint64_t left_out);
  void pass_on(FlowPacket& packet, FlowWatcher& handler);
  void take_version_of_connect(FlowPacket& packet);
  void decode_frame(const Frame& frame, FlowPacket& out);
  void keep_certain(Reading& broken, const FlowPacket& packet) const;

  FlowState state_;
  std::array<Direction, 2> directions_;
  std::uint64_t skipped_ = 0;
  bool version_known_;
};

/// Where in `bytes` of `sender` a packet seems to begin: two plausible headers in a row, or one whose packet
/// ends with the bytes. Nothing if there is no such place.
[[nodiscard]] std::optional<std::size_t> find_packet_start(Bytes bytes, Sender sender);

}  // namespace mqtt
