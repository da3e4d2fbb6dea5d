// A typical message as a JSON line, with the check that topic and payload are UTF-8, without allocation.
#include <benchmark/benchmark.h>

#include "bench/allocations.hpp"
#include "common/message_format.hpp"

namespace mqtt::bench {
namespace {

PublishView typical_message() {
  PublishView p;
  p.qos = QoS::at_least_once;
  p.packet_id = 7;
  p.topic = "plant/7/temperature";
  p.payload = as_bytes(R"({"c":21.5,"unit":"celsius","ok":true})");
  return p;
}

void BM_JsonLine(benchmark::State& state, mq::JsonPayload mode, PropertiesView properties) {
  PublishView message = typical_message();
  message.properties = properties;
  mq::MessageLineWriter writer{mode};
  std::string out;
  const mq::WallTime time{std::chrono::seconds{1'795'245'607}};
  writer.write(out, message, time);
  out.reserve(2 * out.size());
  const std::size_t before = allocations();
  for (auto _ : state) {
    out.clear();
    writer.write(out, message, time + std::chrono::microseconds{state.iterations() % 1'000'000});
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["allocations"] = static_cast<double>(allocations() - before);
}

const Properties some_properties = [] {
  Properties p;
  p.add(PropertyId::message_expiry_interval, 60);
  p.add(PropertyId::content_type, "application/json");
  p.add_user_property("source", "plc3");
  return p;
}();

BENCHMARK_CAPTURE(BM_JsonLine, text, mq::JsonPayload::text, PropertiesView{});
BENCHMARK_CAPTURE(BM_JsonLine, parse, mq::JsonPayload::parse, PropertiesView{});
BENCHMARK_CAPTURE(BM_JsonLine, with_properties, mq::JsonPayload::text, some_properties.view());

}  // namespace
}  // namespace mqtt::bench
