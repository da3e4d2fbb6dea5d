#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/screen.hpp"
#include "mqbench/live_state.hpp"

namespace mq::bench {

/// Events per second, since the look before.
struct LiveRates {
  double sent = 0;
  double received = 0;
};

/// The rates of a run, look by look.
class RateLog {
 public:
  static constexpr std::size_t looks_max = 1000;

  /// Of what has come since the last call; 0 of the first one.
  LiveRates add(const LiveState& state, mqtt::TimePoint now);
  /// Received per second, the oldest first.
  [[nodiscard]] const std::deque<double>& received() const { return received_; }

 private:
  mqtt::Deadline looked_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_before_ = 0;
  std::deque<double> received_;
};

/// The last `columns` of `values` as blocks of eight heights, from 0 to the highest of them.
[[nodiscard]] std::string sparkline(const std::deque<double>& values, std::size_t columns);

enum class Colors : std::uint8_t { none, ansi };

/// The display, a line each; the most important ones first, for a low screen.
[[nodiscard]] std::vector<std::string> live_lines(const LiveState& state, const LiveRates& rates,
                                                  const std::deque<double>& received, Colors colors,
                                                  ScreenSize size);

}  // namespace mq::bench
