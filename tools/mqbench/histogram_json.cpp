#include "mqbench/histogram_json.hpp"

#include "mqbench/histogram_encoding.hpp"

namespace mq::bench {

void add_histogram(JsonWriter& json, std::string_view name, const Histogram& h) {
  if (h.count() == 0) return;
  json.key(name);
  json.begin_object();
  json.field("count", h.count());
  json.field("clipped", h.clipped());
  json.field("negative", h.negative());
  json.field("min", h.min());
  json.field("mean", h.mean());
  json.field("stddev", h.standard_deviation());
  json.field("p50", h.at_percentile(50));
  json.field("p90", h.at_percentile(90));
  json.field("p99", h.at_percentile(99));
  json.field("p99.9", h.at_percentile(99.9));
  json.field("p99.99", h.at_percentile(99.99));
  json.field("max", h.max());
  json.field("hdr", encode_histogram(h));
  json.end_object();
}

void add_interval_latency(JsonWriter& json, std::string_view name, const IntervalLatency& latency) {
  json.key(name);
  json.begin_object();
  json.field("count", latency.count);
  json.field("p50", latency.p50);
  json.field("p99", latency.p99);
  json.field("p99.9", latency.p99_9);
  json.field("max", latency.max);
  if (!latency.hdr.empty()) json.field("hdr", latency.hdr);
  json.end_object();
}

}  // namespace mq::bench
