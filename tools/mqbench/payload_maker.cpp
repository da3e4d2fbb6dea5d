#include "mqbench/payload_maker.hpp"

#include "common/diag.hpp"

namespace mq::bench {

mqtt::MutableBytes PayloadMaker::make(std::uint32_t stream, std::uint64_t sequence, std::uint64_t number) {
  if (!plan_.scenario.payload.varies()) return {bytes_.data(), plan_.size_of(stream, sequence)};
  text_.assign(Stamp::size, '\0');
  plan_.scenario.payload.append(text_, {.sequence = number + 1, .now = Diag::system_clock()}, random_,
                                clock_);
  return {reinterpret_cast<std::uint8_t*>(text_.data()), text_.size()};
}

}  // namespace mq::bench
