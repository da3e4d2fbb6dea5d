#pragma once
#include <cstdint>
#include <set>
#include <string>

#include "mqspy/record.hpp"
#include "mqspy/time_text.hpp"
#include "mqspy/view.hpp"

namespace mq::spy {

/// Conversations as a sequence diagram: between two lines of text, or for Mermaid.
class LadderWriter final : public RecordSink {
 public:
  /// `client`: only connections with this client id, name (c1) or client address; empty: all.
  LadderWriter(std::string& out, View view, std::string client);

  void on_open(const OpenRecord& record) override;
  void on_packet(const PacketRecord& record) override;
  void on_close(const CloseRecord& record) override;
  void on_gap(const GapRecord& record) override;
  void on_fault(const FaultRecord& record) override;
  void on_note(const NoteRecord&) override {}

 private:
  [[nodiscard]] bool shows(const Link& link, const mqtt::FlowState& state) const;
  /// The ends of the first packet that is shown.
  void introduce(const Link& link, const mqtt::FlowState& state);
  void arrow(const PacketRecord& record, const std::string& label);
  void remark(mqtt::TimePoint time, const Link& link, std::string_view text);

  std::string& out_;
  View view_;
  std::string client_;
  TimeText time_;
  std::set<std::uint64_t> shown_;  // connections that are open and in it
  bool begun_ = false;
};

}  // namespace mq::spy
