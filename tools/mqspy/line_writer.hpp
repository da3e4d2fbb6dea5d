#pragma once
#include <string>

#include "mqspy/record.hpp"
#include "mqspy/time_text.hpp"
#include "mqspy/view.hpp"

namespace mq::spy {

/// A line per record: time, connection, direction, type, and what is not default; below it what is wrong with
/// it, and its fields if they are wanted.
class LineWriter final : public RecordSink {
 public:
  /// Appends to `out`, which its owner empties when it likes.
  LineWriter(std::string& out, View view) : out_{out}, view_{view}, time_{view.time} {}

  void on_open(const OpenRecord& record) override;
  void on_packet(const PacketRecord& record) override;
  void on_close(const CloseRecord& record) override;
  void on_gap(const GapRecord& record) override;
  void on_fault(const FaultRecord& record) override;
  void on_note(const NoteRecord& record) override;
  void on_difference(const DifferenceRecord& record) override;

 private:
  /// "12:00:01.204113 c1 > "; gives its width.
  std::size_t begin(mqtt::TimePoint time, const Link& link, char direction);
  void findings(std::span<const mqtt::Finding> findings, std::size_t indent);
  void paint(std::string_view code);

  std::string& out_;
  View view_;
  TimeText time_;
};

/// A packet in one line, as mqtt::append_description, and what there is to say of a broken one.
void append_packet(std::string& out, const mqtt::FlowPacket& packet, const View& view);
/// "+0.758ms"
void append_latency(std::string& out, mqtt::Duration latency);

/// Pings and acknowledgements that say nothing but success.
[[nodiscard]] bool is_quiet(const PacketRecord& record);

}  // namespace mq::spy
