// First byte: how the flow begins. Then pieces: a byte with direction, action and size, and so many
// bytes. Whatever goes by, findings point into their packet and what is kept has its bounds.
#include <algorithm>
#include <cstdlib>

#include <mqtt/inspect/lint.hpp>

using namespace mqtt;

namespace {

class Watch final : public FlowWatcher {
 public:
  void before_packet(const FlowPacket& packet, const FlowState& state) override {
    findings_.clear();
    lint(packet, state, findings_);
    for (const Finding& f : findings_)
      if (f.clause.empty() || f.text.empty() || f.offset + f.size > packet.bytes.size()) std::abort();
  }
  void after_packet(const FlowPacket& packet, const FlowState& state) override {
    if (packet.packet.has_value() == (packet.broken != nullptr)) std::abort();
    if (packet.broken && packet.broken->faults.empty()) std::abort();
    for (const SideState& side : state.sides)
      if (side.answers[0].size() + side.answers[1].size() + side.pubrels.size() > side.messages.size())
        std::abort();
  }
  void on_close(const FlowClose& close, const FlowState& state) override { lint(close, state, findings_); }

 private:
  std::vector<Finding> findings_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  Flow flow{data[0] & 1 ? Flow::Start::middle : Flow::Start::connection};
  Watch watch;
  TimePoint now{};
  Bytes rest{data + 1, size - 1};
  while (!rest.empty()) {
    const std::uint8_t head = rest[0];
    const Sender sender = head & 0x80 ? Sender::server : Sender::client;
    const Bytes piece = rest.subspan(1, std::min<std::size_t>(head & 0x3F, rest.size() - 1));
    rest = rest.subspan(1 + piece.size());
    if (piece.empty() && (head & 0x40) != 0) flow.gap(sender);
    if ((head & 0x40) != 0) now += std::chrono::seconds{7};
    flow.receive(sender, now, piece, watch);
  }
  flow.close({.by = Sender::client, .time = now + std::chrono::seconds{10}}, watch);
  return 0;
}
