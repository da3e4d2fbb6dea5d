#include "mqbench/load_search.hpp"

#include <algorithm>
#include <cmath>

namespace mq::bench {

std::string_view to_string(SearchEnd end) {
  switch (end) {
    case SearchEnd::precise: return "precise";
    case SearchEnd::highest: return "highest";
    case SearchEnd::lowest: return "lowest";
    case SearchEnd::steps: return "steps";
    case SearchEnd::network_bound: return "network-bound";
    default: return "tool-bound";
  }
}

LoadSearch::LoadSearch(const SearchLimits& limits) : limits_{limits}, load_{rounded(limits.first)} {}

std::optional<double> LoadSearch::next() const { return ended_ ? std::nullopt : std::optional{load_}; }

void LoadSearch::note(Attempt attempt) {
  ++steps_;
  if (attempt != Attempt::good && ++missed_[attempt] <= limits_.repeats) {
    if (steps_ >= limits_.steps_max) ended_ = SearchEnd::steps;
    return;
  }
  if (attempt == Attempt::tool_bound || attempt == Attempt::network_bound) {
    ended_ = attempt == Attempt::tool_bound ? SearchEnd::tool_bound : SearchEnd::network_bound;
    return;
  }
  missed_.clear();
  (attempt == Attempt::good ? good_ : bad_) = load_;
  go_on();
}

void LoadSearch::go_on() {
  if (precise_enough())
    ended_ = SearchEnd::precise;
  else if (!bad_ && *good_ >= limits_.highest)
    ended_ = SearchEnd::highest;
  else if (!good_ && *bad_ <= limits_.lowest)
    ended_ = SearchEnd::lowest;
  else if (steps_ >= limits_.steps_max)
    ended_ = SearchEnd::steps;
  else if (!bad_)
    load_ = std::min(rounded(2 * *good_), limits_.highest);
  else if (!good_)
    load_ = std::max(rounded(*bad_ / 2), limits_.lowest);
  else
    load_ = between();
}

double LoadSearch::between() const {
  const double middle = rounded(std::sqrt(*good_ * *bad_));
  return limits_.whole ? std::max(middle, *good_ + 1) : middle;
}

double LoadSearch::rounded(double load) const {
  return limits_.whole ? std::max(1.0, std::floor(load)) : load;
}

bool LoadSearch::precise_enough() const {
  if (!good_ || !bad_) return false;
  return *bad_ <= *good_ * (1 + limits_.precision) || (limits_.whole && *bad_ - *good_ < 2);
}

std::optional<std::size_t> find_knee(std::span<const CurvePoint> curve) {
  if (curve.size() < 3) return std::nullopt;
  const CurvePoint first = curve.front(), last = curve.back();
  if (last.throughput <= first.throughput || last.latency <= first.latency) return std::nullopt;
  const auto below = [&](const CurvePoint& point) {
    return (point.throughput - first.throughput) / (last.throughput - first.throughput) -
           (point.latency - first.latency) / (last.latency - first.latency);
  };
  const auto knee = std::ranges::max_element(curve, {}, below);
  if (below(*knee) <= 0) return std::nullopt;
  return static_cast<std::size_t>(knee - curve.begin());
}

}  // namespace mq::bench
