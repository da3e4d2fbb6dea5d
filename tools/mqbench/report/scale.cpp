#include "mqbench/report/scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mq::bench::report {
namespace {

/// 1, 2 or 5 times a power of ten: so that about `steps` of them make `length`.
double round_step(double length, double steps) {
  const double raw = length / steps, power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (raw <= factor * power * 1.0000001) return factor * power;
  return 10 * power;
}

/// "10.0 ms" is "10 ms" on an axis.
std::string without_zeros(std::string label) {
  const std::size_t point = label.find('.');
  if (point == label.npos) return label;
  const std::size_t end = std::min(label.find_first_not_of("0123456789", point + 1), label.size());
  std::size_t keep = label.find_last_not_of('0', end - 1) + 1;
  if (keep == point + 1) keep = point;
  return label.erase(keep, end - keep);
}

}  // namespace

Scale Scale::from_zero(double high, const Shown& shown) {
  const double step = round_step(std::max(high, 1e-9), 5);
  const double steps = std::max(1.0, std::ceil(high / step - 1e-9));
  Scale scale{0, steps * step, false};
  for (double n = 0; n <= steps; ++n) scale.ticks_.push_back({n * step, without_zeros(shown(n * step))});
  return scale;
}

Scale Scale::exact(double low, double high, const Shown& shown) {
  Scale scale{low, std::max(high, low + 1e-9), false};
  const double step = std::max(1.0, round_step(scale.high_ - low, 6));
  for (double value = std::ceil(low / step) * step; value <= high * 1.0000001; value += step)
    scale.ticks_.push_back({value, without_zeros(shown(value))});
  return scale;
}

Scale Scale::logarithmic(double low, double high, const Shown& shown) {
  const double first = std::floor(std::log10(low) + 1e-9);
  const double last = std::max(first + 1, std::ceil(std::log10(high) - 1e-9));
  Scale scale{std::pow(10, first), std::pow(10, last), true};
  for (double power = first; power <= last; ++power) {
    scale.ticks_.push_back({std::pow(10, power), without_zeros(shown(std::pow(10, power)))});
    for (double factor = 2; factor < 10 && power < last && last - first <= 4; ++factor)
      scale.ticks_.push_back({factor * std::pow(10, power), ""});
  }
  return scale;
}

Scale Scale::percentiles(unsigned nines) {
  Scale scale{1, std::pow(10, nines), true};
  scale.ticks_ = {{1, "0"}, {2, "50 %"}};
  std::string label = "90 %";
  for (unsigned n = 1; n <= nines; ++n) {
    scale.ticks_.push_back({std::pow(10, n), label});
    label = n == 1 ? "99 %" : n == 2 ? "99.9 %" : label.insert(label.size() - 2, "9");
  }
  return scale;
}

double Scale::at(double value) const {
  const double low = logarithmic_ ? std::log(low_) : low_, high = logarithmic_ ? std::log(high_) : high_;
  const double here = logarithmic_ ? std::log(std::max(value, low_)) : value;
  return std::clamp((here - low) / (high - low), 0.0, 1.0);
}

}  // namespace mq::bench::report
