#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>

namespace mq::bench {

/// Where to look for the highest load that is good enough.
struct SearchLimits {
  double first = 1'000;     ///< where it begins
  double lowest = 1;        ///< nothing below it is tried
  double highest = 1e8;     ///< nothing above it is tried
  double precision = 0.05;  ///< it ends when the bad load is above the good one by no more than this share
  unsigned steps_max = 20;  ///< tries, repeated ones included
  unsigned repeats = 1;     ///< a try that is not good is repeated so often: a busy moment is no limit
  bool whole = false;       ///< loads are whole numbers
};

/// What a try has shown.
enum class Attempt : std::uint8_t {
  good,
  bad,
  tool_bound,  ///< it says nothing about the broker, as the next
  network_bound,
};

enum class SearchEnd : std::uint8_t {
  precise,        ///< the limit is known
  highest,        ///< even the highest load is good
  lowest,         ///< even the lowest load is bad
  steps,          ///< no more tries; what is known is in between
  tool_bound,     ///< the tool was the limit
  network_bound,  ///< the way to the broker was
};

[[nodiscard]] std::string_view to_string(SearchEnd end);

/// Finds the highest load for which tries are good: doubles until one is bad (or halves until one is good),
/// then cuts what is left in half, on a logarithmic scale. It knows no clock and no broker: ask next(), try
/// it, tell note().
///
/// Answers may be anything. best() was good at least once, each load of bad() was bad each time it was tried,
/// and next() lies between both always, so that it ends whatever the broker does. Where a broker is good, bad
/// and good again as the load rises, it is the end of the first good part that has been met that is found.
class LoadSearch {
 public:
  /// `limits`: 0 < lowest <= first <= highest, precision above 0.
  explicit LoadSearch(const SearchLimits& limits);

  /// What to try now; nothing when it has ended.
  [[nodiscard]] std::optional<double> next() const;
  /// How that went.
  void note(Attempt attempt);

  [[nodiscard]] std::optional<SearchEnd> ended() const { return ended_; }
  /// The highest load that was good.
  [[nodiscard]] std::optional<double> best() const { return good_; }
  /// The lowest load that was bad.
  [[nodiscard]] std::optional<double> bad() const { return bad_; }
  [[nodiscard]] unsigned steps() const { return steps_; }

 private:
  void go_on();
  [[nodiscard]] double between() const;
  [[nodiscard]] double rounded(double load) const;
  [[nodiscard]] bool precise_enough() const;

  SearchLimits limits_;
  double load_;
  unsigned steps_ = 0;
  /// Tries of this load, by what they were: one in which the tool was the limit says nothing about the load.
  std::map<Attempt, unsigned> missed_;
  std::optional<double> good_;
  std::optional<double> bad_;
  std::optional<SearchEnd> ended_;
};

/// One point of the curve of throughput and latency.
struct CurvePoint {
  double throughput = 0;
  double latency = 0;
};

/// Where latency begins to be paid for throughput: the point of a curve, in order of throughput, that is
/// furthest below the straight line from its first to its last point, both axes scaled to 1 (the idea of
/// Kneedle: Satopaa et al. 2011). Nothing if there are fewer than three points or none lies below.
[[nodiscard]] std::optional<std::size_t> find_knee(std::span<const CurvePoint> curve);

}  // namespace mq::bench
