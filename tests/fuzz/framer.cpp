// The same stream whole and in pieces (sizes from the input's own bytes) must give the same packets and end
// alike.
#include <cstdlib>
#include <vector>

#include <mqtt/codec/framer.hpp>

using namespace mqtt;

namespace {

constexpr std::uint32_t size_limit = 4096;

struct Outcome {
  std::vector<std::vector<std::uint8_t>> packets;
  bool failed = false;

  bool operator==(const Outcome&) const = default;
};

void feed(Framer& framer, Bytes input, Outcome& outcome) {
  while (!outcome.failed) {
    const auto frame = framer.next(input);
    outcome.failed = !frame;
    if (outcome.failed || !*frame) return;
    outcome.packets.emplace_back((*frame)->bytes.begin(), (*frame)->bytes.end());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  const Bytes sizes{data, 8}, stream{data + 8, size - 8};
  Outcome whole, pieces;
  Framer first{size_limit}, second{size_limit};
  feed(first, stream, whole);
  for (std::size_t at = 0, turn = 0; at < stream.size(); ++turn) {
    const std::size_t piece = std::min<std::size_t>(stream.size() - at, 1 + sizes[turn % 8]);
    const std::vector<std::uint8_t> exact(stream.begin() + static_cast<std::ptrdiff_t>(at),
                                          stream.begin() + static_cast<std::ptrdiff_t>(at + piece));
    feed(second, exact, pieces);
    at += piece;
  }
  if (whole != pieces || second.held() > size_limit) std::abort();
  return 0;
}
