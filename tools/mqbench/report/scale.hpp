#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mq::bench::report {

/// How numbers of one kind are written.
using Shown = std::function<std::string(double)>;

struct Tick {
  double value = 0;
  std::string label;  ///< empty: a line alone
};

/// What stands where on an axis: from low to high, evenly or by its logarithm.
class Scale {
 public:
  /// From 0 to a round number at or above `high`.
  [[nodiscard]] static Scale from_zero(double high, const Shown& shown);
  /// Exactly from `low` to `high`: time.
  [[nodiscard]] static Scale exact(double low, double high, const Shown& shown);
  /// Powers of ten around both, which are above 0.
  [[nodiscard]] static Scale logarithmic(double low, double high, const Shown& shown);
  /// A percentile axis as HdrHistogram draws it: even in log(1 / (1 - share)), from the lowest to `nines`
  /// nines. Its values are 1 / (1 - share).
  [[nodiscard]] static Scale percentiles(unsigned nines);

  /// 0 at the low end, 1 at the high one; what is outside is moved to the nearer end.
  [[nodiscard]] double at(double value) const;
  [[nodiscard]] const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  Scale(double low, double high, bool logarithmic) : low_{low}, high_{high}, logarithmic_{logarithmic} {}

  double low_;
  double high_;
  bool logarithmic_;
  std::vector<Tick> ticks_;
};

}  // namespace mq::bench::report
