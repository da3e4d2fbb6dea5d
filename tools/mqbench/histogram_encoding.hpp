#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "mqbench/histogram.hpp"

namespace mq {

/// HdrHistogram's compressed V2 encoding in base64, as every port of it reads: counters as zig-zag LEB128,
/// runs of zeros as one negative number, deflated. What was clipped or negative is not in it.
[[nodiscard]] std::string encode_histogram(const Histogram& histogram);

/// A sentence for what is no such text, or a histogram that Histogram::make() refuses. It takes no more
/// memory than that allows, whatever the text announces.
[[nodiscard]] std::expected<Histogram, std::string> decode_histogram(std::string_view base64);

}  // namespace mq
