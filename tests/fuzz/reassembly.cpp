// Commands of six bytes: what (segment, FIN, acknowledgement), where, how long. Segments are pieces of one
// known stream, so that what comes out can be compared with it, whatever their order.
#include <array>
#include <cstdlib>

#include "mqspy/reassembly.hpp"

using namespace mq::spy;

namespace {

constexpr std::uint32_t first_sequence = 0xFFFFF000;  // turns over soon

std::uint8_t byte_at(std::uint64_t place) { return static_cast<std::uint8_t>(place * 31 % 251); }

class Check final : public StreamHandler {
 public:
  void on_bytes(unsigned, mqtt::TimePoint, mqtt::Bytes bytes) override {
    for (const std::uint8_t byte : bytes)
      if (byte != byte_at(place_++)) std::abort();
  }
  void on_missing(unsigned, mqtt::TimePoint, std::uint64_t bytes) override {
    if (bytes == 0) std::abort();
    place_ += bytes;
  }

 private:
  std::uint64_t place_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  StreamOrder order;
  order.begin(first_sequence);
  Check check;
  for (std::size_t at = 0; at + 6 <= size; at += 6) {
    const std::uint32_t place =
        static_cast<std::uint32_t>(data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]) & 0x3FFFF;
    std::array<std::uint8_t, 1024> bytes;
    const std::size_t count = static_cast<std::size_t>(data[at + 4] << 8 | data[at + 5]) % bytes.size();
    for (std::size_t i = 0; i < count; ++i) bytes[i] = byte_at(place + i);
    TcpSegment segment;
    segment.sequence = first_sequence + place;
    segment.payload = mqtt::Bytes{bytes}.first(count);
    segment.payload_size = static_cast<std::uint32_t>(count);
    segment.fin = data[at] % 16 == 1;
    if (data[at] % 4 == 3)
      order.acknowledge(0, {}, segment.sequence, check);
    else
      order.add(0, segment, check);
    if (order.waiting_bytes() > StreamOrder::waiting_max_bytes + bytes.size()) std::abort();
  }
  order.finish(0, {}, check);
  if (order.waiting_bytes() != 0) std::abort();
  return 0;
}
