#pragma once
#include <utility>
#include <vector>

#include "mqspy/record.hpp"

namespace mq::spy {

/// Gives each record to several sinks.
class Tee final : public RecordSink {
 public:
  explicit Tee(std::vector<RecordSink*> sinks) : sinks_{std::move(sinks)} {}

  void on_open(const OpenRecord& record) override {
    for (RecordSink* sink : sinks_) sink->on_open(record);
  }
  void on_packet(const PacketRecord& record) override {
    for (RecordSink* sink : sinks_) sink->on_packet(record);
  }
  void on_close(const CloseRecord& record) override {
    for (RecordSink* sink : sinks_) sink->on_close(record);
  }
  void on_gap(const GapRecord& record) override {
    for (RecordSink* sink : sinks_) sink->on_gap(record);
  }
  void on_fault(const FaultRecord& record) override {
    for (RecordSink* sink : sinks_) sink->on_fault(record);
  }
  void on_note(const NoteRecord& record) override {
    for (RecordSink* sink : sinks_) sink->on_note(record);
  }
  void on_difference(const DifferenceRecord& record) override {
    for (RecordSink* sink : sinks_) sink->on_difference(record);
  }
  void on_end() override {
    for (RecordSink* sink : sinks_) sink->on_end();
  }

 private:
  std::vector<RecordSink*> sinks_;
};

}  // namespace mq::spy
