#pragma once
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqspy/record.hpp"
#include "mqspy/selector.hpp"

// What `mqspy replay` has read: the packets of one connection.

namespace mq::spy {

/// A packet of a recording. Its number is its place in RecordedTalk::packets, counted from 1.
struct RecordedPacket {
  mqtt::TimePoint time{};
  mqtt::Sender sender = mqtt::Sender::client;
  mqtt::Version version = mqtt::Version::v5;
  std::string bytes;
  std::string topic;          ///< of a PUBLISH, its alias resolved
  std::uint64_t answers = 0;  ///< the number of the packet that it answers; 0: none
};

/// What its first byte says.
[[nodiscard]] mqtt::PacketType type_of(const RecordedPacket& packet);
/// Views of `packet`; nothing if it cannot be decoded.
[[nodiscard]] std::optional<mqtt::PacketView> decode_recorded(const RecordedPacket& packet);

struct RecordedTalk {
  Link link;
  std::string client_id;
  std::vector<RecordedPacket> packets;
  std::uint64_t gaps = 0;
  std::uint64_t shortened = 0;  ///< the number of the client's first packet that is not all there; 0: none
  std::optional<mqtt::FlowClose> close;
};

/// Keeps what may be asked for of a recording: connections, and their packets up to a bound.
class TalkCollector final : public RecordSink {
 public:
  /// Bytes of packets.
  static constexpr std::size_t kept_max_bytes = std::size_t{256} * 1024 * 1024;

  struct Wanted {
    std::optional<std::string> connection;  ///< "c3"
    std::optional<Selector> selector;       ///< of a packet of it
  };
  explicit TalkCollector(Wanted wanted, std::size_t kept_max = kept_max_bytes)
      : wanted_{std::move(wanted)}, kept_max_{kept_max} {}

  void on_open(const OpenRecord& record) override;
  void on_packet(const PacketRecord& record) override;
  void on_close(const CloseRecord& record) override;
  void on_gap(const GapRecord& record) override;
  void on_fault(const FaultRecord&) override {}
  void on_note(const NoteRecord&) override {}

  /// More was wanted than is kept: nothing can be chosen.
  [[nodiscard]] bool full() const { return full_; }
  /// The one connection that is wanted and has packets of its client; else a sentence that names what there
  /// is.
  [[nodiscard]] std::expected<RecordedTalk, std::string> choose() &&;

 private:
  struct Candidate {
    RecordedTalk talk;
    bool chosen = false;  // by the selector
  };

  [[nodiscard]] Candidate* find(const Link& link);

  Wanted wanted_;
  std::size_t kept_max_;
  std::size_t kept_ = 0;
  bool full_ = false;
  std::map<std::uint64_t, Candidate> candidates_;  // by number
};

/// Puts in the password that the client is to use, if there is one. A sentence if it cannot: the recording
/// hides what was sent, or there is no place for it.
[[nodiscard]] std::expected<void, std::string> settle_secrets(RecordedTalk& talk,
                                                              const std::optional<std::string>& password);

}  // namespace mq::spy
