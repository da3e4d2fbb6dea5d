#pragma once
#include <string>

#include "common/json_writer.hpp"
#include "mqspy/record.hpp"
#include "mqspy/view.hpp"

namespace mq::spy {

/// One JSON object per record and line (mqspy-record.schema.json). What is absent has its default; times are
/// whole microseconds; what is secret keeps its length.
class JsonRecords final : public RecordSink {
 public:
  /// Appends to `out`, which its owner empties when it likes.
  JsonRecords(std::string& out, View view) : out_{out}, view_{view} {}

  void on_open(const OpenRecord& record) override;
  void on_packet(const PacketRecord& record) override;
  void on_close(const CloseRecord& record) override;
  void on_gap(const GapRecord& record) override;
  void on_fault(const FaultRecord& record) override;
  void on_note(const NoteRecord& record) override;
  void on_difference(const DifferenceRecord& record) override;

 private:
  void findings(const Link& link, std::span<const mqtt::Finding> findings);

  std::string& out_;
  View view_;
};

/// The fields of a packet: "type", "qos", "topic", "props" …
void write_packet(JsonWriter& json, const mqtt::FlowPacket& packet, const View& view);

/// {"len":10,"enc":"utf8","data":"..."}
void write_bytes(JsonWriter& json, mqtt::Bytes bytes, std::uint64_t left_out = 0);

}  // namespace mq::spy
