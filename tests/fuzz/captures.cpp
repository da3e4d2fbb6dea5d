// First byte: how large the pieces are that a capture file comes in; then the file. Whatever it holds,
// reading it ends, takes no more than there is, and every connection that was opened is closed.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "mqspy/capture.hpp"
#include "mqspy/connections.hpp"
#include "mqspy/recorder.hpp"

using namespace mq::spy;

namespace {

class Check final : public RecordSink {
 public:
  void on_open(const OpenRecord& record) override {
    if (!open_.insert(record.link.number).second) std::abort();
  }
  void on_packet(const PacketRecord& record) override {
    if (record.packet.bytes.empty() || !open_.contains(record.link.number)) std::abort();
  }
  void on_close(const CloseRecord& record) override {
    if (open_.erase(record.link.number) != 1 || record.why.empty()) std::abort();
  }
  void on_gap(const GapRecord& record) override {
    if (!open_.contains(record.link.number)) std::abort();
  }
  void on_fault(const FaultRecord&) override { std::abort(); }
  void on_note(const NoteRecord&) override {}
  void on_end() override {
    if (!open_.empty()) std::abort();
  }

 private:
  std::set<std::uint64_t> open_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  const mqtt::Bytes file{data + 1, size - 1};
  Check check;
  Recorder recorder{check, {.connections_max = 4}};
  Connections connections{recorder, {.connections_max = 4, .waiting_max_bytes = 4096}};
  CaptureReader reader;
  std::size_t taken = 0;
  for (std::size_t seen = 0; seen < file.size();) {
    seen = std::min(seen + piece, file.size());
    const auto one = reader.take(file.subspan(taken, seen - taken), connections);
    if (!one) break;
    if (*one > seen - taken) std::abort();
    taken += *one;
  }
  connections.finish();
  recorder.finish(connections.last_time());
  return 0;
}
