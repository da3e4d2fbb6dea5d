#pragma once
#include <string_view>

#include "common/json_writer.hpp"
#include "mqbench/histogram.hpp"

namespace mq::bench {

/// As a member of the current object: its figures, and all of it as `hdr` (encode_histogram). An empty one is
/// left out.
void add_histogram(JsonWriter& json, std::string_view name, const Histogram& h);

}  // namespace mq::bench
