// A PUBLISH of 64 bytes at QoS 0: decoded to views, and encoded, without allocation.
#include <benchmark/benchmark.h>

#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/encode.hpp>

#include "bench/allocations.hpp"

namespace mqtt::bench {
namespace {

constexpr std::size_t packet_bytes = 64;

PublishView publish_of_64(Version version) {
  static const std::string payload(packet_bytes, 'x');
  PublishView p;
  p.topic = "plant/7/temperature";
  const std::size_t header = *encoded_publish_size(p, 0, version);
  p.payload = as_bytes(payload).first(packet_bytes - header);
  return p;
}

void report_allocations(benchmark::State& state, std::size_t before) {
  state.counters["allocations"] = static_cast<double>(allocations() - before);
}

void BM_DecodePublish(benchmark::State& state) {
  const auto version = static_cast<Version>(state.range(0));
  ChunkPool pool;
  OutBuffer out{pool};
  (void)encode_publish(out, publish_of_64(version), {publish_of_64(version).payload, nullptr}, version);
  iovec part;
  (void)out.gather({&part, 1});
  const Bytes packet{static_cast<const std::uint8_t*>(part.iov_base), part.iov_len};
  if (packet.size() != packet_bytes) state.SkipWithError("the packet is not 64 bytes");
  Framer framer;
  const std::size_t before = allocations();
  for (auto _ : state) {
    Bytes input = packet;
    benchmark::DoNotOptimize(input);
    const auto frame = framer.next(input);
    const auto publish = decode_publish(**frame, {version, Sender::server});
    benchmark::DoNotOptimize(publish);
  }
  report_allocations(state, before);
}
BENCHMARK(BM_DecodePublish)->Arg(4)->Arg(5);

void BM_EncodePublish(benchmark::State& state) {
  const auto version = static_cast<Version>(state.range(0));
  const PublishView publish = publish_of_64(version);
  ChunkPool pool;
  OutBuffer out{pool};
  for (int i = 0; i < 1000; ++i)
    (void)encode_publish(out, publish, {publish.payload, nullptr}, version);  // fills the pool
  out.clear();
  const std::size_t before = allocations();
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_publish(out, publish, {publish.payload, nullptr}, version));
    if (out.size() > ChunkPool::chunk_bytes) out.clear();
  }
  report_allocations(state, before);
}
BENCHMARK(BM_EncodePublish)->Arg(4)->Arg(5);

}  // namespace
}  // namespace mqtt::bench
