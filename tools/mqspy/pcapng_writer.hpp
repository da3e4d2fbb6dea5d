#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqspy/layers.hpp"
#include "mqspy/record.hpp"
#include "mqspy/view.hpp"

namespace mq::spy {

enum class PcapStyle : std::uint8_t {
  pdu,  ///< packets of MQTT alone, as Wireshark exports them
  tcp,  ///< with Ethernet, IP and TCP made for them, for readers that know nothing else
};

/// The address that "10.0.0.7:51234" or "[::1]:1883" is.
[[nodiscard]] std::optional<NetEnd> parse_end(std::string_view text);

/// Writes a pcapng file; findings and why connections ended are comments of packets.
class PcapngWriter final : public RecordSink {
 public:
  PcapngWriter(std::string& out, View view, PcapStyle style);

  void on_open(const OpenRecord& record) override;
  void on_packet(const PacketRecord& record) override;
  void on_close(const CloseRecord& record) override;
  void on_gap(const GapRecord& record) override;
  void on_fault(const FaultRecord& record) override;
  void on_note(const NoteRecord&) override {}

 private:
  using Comments = std::vector<std::string>;
  /// Of connections that are open: what TCP would send next, by side.
  using Sequences = std::array<std::uint32_t, 2>;

  void block(std::uint32_t type, std::string_view body);
  void packet(mqtt::TimePoint time, std::string_view bytes, const Comments& comments,
              std::uint64_t left_out = 0);
  void pdu(const Link& link, mqtt::Sender sender, mqtt::TimePoint time, std::string_view bytes,
           const Comments& comments, std::uint64_t left_out = 0);
  void segment(const Link& link, mqtt::Sender sender, mqtt::TimePoint time, std::uint8_t flags,
               std::string_view bytes, const Comments& comments);
  void stream(const Link& link, mqtt::Sender sender, mqtt::TimePoint time, std::string_view bytes,
              const Comments& comments);
  void skip(const Link& link, mqtt::Sender sender, std::uint64_t bytes);

  std::string& out_;
  View view_;
  PcapStyle style_;
  std::map<std::uint64_t, Sequences> sequences_;
};

}  // namespace mq::spy
