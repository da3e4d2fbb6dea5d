#pragma once
#include <cstdint>
#include <string_view>

#include "mqbench/histogram.hpp"

namespace mq::bench {

struct RunResult;

/// What a result can be used for.
enum class Verdict : std::uint8_t {
  valid,
  tool_bound,     ///< the numbers are those of this program, not of the broker
  broker_bound,   ///< the broker took less than was asked for
  network_bound,  ///< the way to the broker lost more than a little
};

[[nodiscard]] std::string_view to_string(Verdict verdict);

/// Sets verdict, reason and notes.
void judge(RunResult& result);

/// The share of the values between 38 and 45 ms, if they are heaped there: what a delayed acknowledgement
/// (40 ms on Linux) makes of Nagle's algorithm at the other end. 0 without such a heap.
[[nodiscard]] double delayed_ack_share(const Histogram& latency);

}  // namespace mq::bench
