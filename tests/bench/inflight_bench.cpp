// What a message costs to keep until its acknowledgement, with so many others in flight.
#include <benchmark/benchmark.h>

#include <mqtt/session/inflight.hpp>

namespace mqtt::bench {
namespace {

/// Identifiers in sequence, acknowledged in their order: what a server does with a stream.
void inflight_in_order(benchmark::State& state) {
  const auto window = static_cast<unsigned>(state.range(0));
  const PublishView message{.qos = QoS::at_least_once, .topic = "bench/topic"};
  const auto id_of = [](unsigned count) { return static_cast<PacketId>(count % 65'535 + 1); };
  Inflight inflight;
  unsigned count = 0;
  while (count < window) inflight.add(id_of(count++), message, {});
  for (auto _ : state) {
    inflight.remove(id_of(count - window));
    inflight.add(id_of(count++), message, {});
  }
}
BENCHMARK(inflight_in_order)->Arg(1)->Arg(20)->Arg(1024)->Arg(60'000);

}  // namespace
}  // namespace mqtt::bench
