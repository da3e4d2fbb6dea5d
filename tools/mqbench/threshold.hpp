#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "mqbench/measurements.hpp"
#include "mqbench/scenario.hpp"

namespace mq::bench {

struct RunResult;

/// What a run has to keep to:
///
///     p99<5ms                     latency from due to received; any percentile, min, mean, max
///     sent_to_received.max<=1s    another latency: due_to_received, sent_to_received, lag, ack, connect...
///     lost==0                     any count of the result
///     rate>=9990, sent_rate<100   deliveries or messages per second
///
/// Operators are < <= > >= == and !=. Times have a unit. Blanks around names, operators and values do not
/// count.
class Threshold {
 public:
  /// What is wrong is said as the end of a sentence.
  [[nodiscard]] static std::expected<Threshold, std::string> parse(std::string_view text);

  /// Why a run of this scenario has no such value, as the end of a sentence; nothing if it will have one.
  [[nodiscard]] std::optional<std::string> impossible_in(const Scenario& scenario) const;
  /// Nanoseconds, messages, or messages per second; nothing if there was nothing to measure.
  [[nodiscard]] std::optional<double> value_of(const RunResult& result) const;
  [[nodiscard]] bool is_met_by(double value) const;
  /// "4.1 ms", "12", "9991.5/s"
  [[nodiscard]] std::string shown(double value) const;

  /// As it was written, without its blanks.
  [[nodiscard]] const std::string& text() const { return text_; }

  /// What is asked of a histogram besides a percentile.
  enum class Statistic : std::uint8_t { min, mean };
  /// What a value depends on to be there.
  enum class Needs : std::uint8_t { nothing, schedule, deliveries, both, acks };
  struct Latency {
    Histogram Measurements::* histogram;
    std::variant<double, Statistic> figure;  // a percentile, 100 for the maximum
    Needs needs;
  };
  using Count = std::uint64_t Measurements::*;
  enum class Rate : std::uint8_t { sent, received };

 private:
  enum class Comparison : std::uint8_t { less, less_equal, greater, greater_equal, equal, different };
  using Quantity = std::variant<Latency, Count, Rate>;

  [[nodiscard]] static std::optional<Quantity> find_quantity(std::string_view name);
  [[nodiscard]] static std::optional<Comparison> find_comparison(std::string_view sign);
  [[nodiscard]] static std::expected<double, std::string> parse_limit(const Quantity& quantity,
                                                                      std::string_view text);

  std::string text_;
  Quantity quantity_;
  Comparison comparison_{};
  double limit_ = 0;
};

/// What became of a threshold.
struct ThresholdOutcome {
  Threshold threshold;
  std::optional<double> value;
  bool passed = false;
};

/// A run whose verdict is not valid passes none: its numbers are not the broker's.
[[nodiscard]] ThresholdOutcome judge_threshold(const Threshold& threshold, const RunResult& result);

}  // namespace mq::bench
