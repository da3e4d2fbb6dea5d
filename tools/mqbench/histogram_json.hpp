#pragma once
#include <string_view>

#include "common/json_writer.hpp"
#include "mqbench/histogram.hpp"
#include "mqbench/interval_log.hpp"

namespace mq::bench {

/// As a member of the current object: its figures, and all of it as `hdr` (encode_histogram). An empty one is
/// left out.
void add_histogram(JsonWriter& json, std::string_view name, const Histogram& h);

/// The latencies of a second as a member of the current object; `hdr` if there is one.
void add_interval_latency(JsonWriter& json, std::string_view name, const IntervalLatency& latency);

}  // namespace mq::bench
