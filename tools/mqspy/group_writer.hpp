#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "mqspy/line_writer.hpp"

namespace mq::spy {

/// One line per finished exchange: a request with its answers and how long each took. What is no part of an
/// exchange has a line of its own.
class GroupWriter final : public RecordSink {
 public:
  GroupWriter(std::string& out, View view) : out_{out}, view_{view}, lines_{out, view} {}

  void on_open(const OpenRecord& record) override { lines_.on_open(record); }
  void on_packet(const PacketRecord& record) override;
  void on_close(const CloseRecord& record) override;
  void on_gap(const GapRecord& record) override { lines_.on_gap(record); }
  void on_fault(const FaultRecord& record) override { lines_.on_fault(record); }
  void on_note(const NoteRecord& record) override { lines_.on_note(record); }

 private:
  /// Exchanges that are told only once they are over: more are told as they are.
  static constexpr std::size_t waiting_max = 100'000;
  /// Connection, and the number of the exchange's last packet on it.
  using Key = std::pair<std::uint64_t, std::uint64_t>;

  std::string& out_;
  View view_;
  LineWriter lines_;
  std::map<Key, std::string> waiting_;
};

}  // namespace mq::spy
