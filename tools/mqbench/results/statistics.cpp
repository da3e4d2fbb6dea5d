#include "mqbench/results/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace mq::bench::results {
namespace {

constexpr std::size_t resamples = 10'000;

/// SplitMix64: the distributions of the standard library differ between implementations.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_{seed} {}

  /// From 0 to below `bound`; for the few runs there are, the bias of the remainder is below 2^-50.
  std::size_t below(std::size_t bound) {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return static_cast<std::size_t>((z ^ z >> 31) % bound);
  }

 private:
  std::uint64_t state_;
};

void draw(std::span<const double> from, Random& random, std::vector<double>& into) {
  into.clear();
  for (std::size_t n = 0; n < from.size(); ++n) into.push_back(from[random.below(from.size())]);
}

/// Twice the midrank of each value, `a` first: whole numbers, whatever is tied.
std::vector<std::size_t> doubled_ranks(std::span<const double> a, std::span<const double> b) {
  std::vector<double> all{a.begin(), a.end()};
  all.insert(all.end(), b.begin(), b.end());
  std::vector<double> sorted = all;
  std::ranges::sort(sorted);
  std::vector<std::size_t> ranks;
  for (const double value : all) {
    const auto [first, last] = std::ranges::equal_range(sorted, value);
    ranks.push_back(static_cast<std::size_t>((first - sorted.begin()) + (last - sorted.begin()) + 1));
  }
  return ranks;
}

/// In how many ways `count` of the ranks can be chosen, by their sum. Beyond 2^53 they are as exact as a
/// double.
std::vector<double> ways_by_sum(const std::vector<std::size_t>& ranks, std::size_t count) {
  const std::size_t sum_max = std::accumulate(ranks.begin(), ranks.end(), std::size_t{0});
  std::vector<std::vector<double>> ways(count + 1, std::vector<double>(sum_max + 1));
  ways[0][0] = 1;
  for (const std::size_t rank : ranks)
    for (std::size_t chosen = count; chosen > 0; --chosen)
      for (std::size_t sum = rank; sum <= sum_max; ++sum) ways[chosen][sum] += ways[chosen - 1][sum - rank];
  return ways[count];
}

double exact_p(const std::vector<std::size_t>& ranks, std::size_t count) {
  const auto observed =
      std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(count), std::size_t{0});
  // The mean of the sum, twice as large once more: count * (N + 1) is whole.
  const auto mean = static_cast<double>(count * (ranks.size() + 1));
  const double distance = std::abs(static_cast<double>(observed) - mean);
  double all = 0, as_far = 0;
  const auto ways = ways_by_sum(ranks, count);
  for (std::size_t sum = 0; sum < ways.size(); ++sum) {
    all += ways[sum];
    if (std::abs(static_cast<double>(sum) - mean) >= distance) as_far += ways[sum];
  }
  return std::min(1.0, as_far / all);
}

double normal_p(const std::vector<std::size_t>& ranks, std::size_t count) {
  const auto n = static_cast<double>(ranks.size()), a = static_cast<double>(count), b = n - a;
  std::vector<std::size_t> sorted = ranks;
  std::ranges::sort(sorted);
  double ties = 0;
  for (auto it = sorted.begin(); it != sorted.end();) {
    const auto next = std::upper_bound(it, sorted.end(), *it);
    const auto tied = static_cast<double>(next - it);
    ties += tied * tied * tied - tied;
    it = next;
  }
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) sum += static_cast<double>(ranks[k]) / 2;
  const double variance = a * b / 12 * (n + 1 - ties / (n * (n - 1)));
  if (variance <= 0) return 1;
  const double distance = std::max(0.0, std::abs(sum - a * (n + 1) / 2) - 0.5);
  return std::erfc(distance / std::sqrt(2 * variance));
}

}  // namespace

double median(std::span<const double> values) {
  std::vector<double> sorted{values.begin(), values.end()};
  std::ranges::sort(sorted);
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double relative_change(std::span<const double> a, std::span<const double> b) {
  const double base = median(a);
  return (median(b) - base) / base;
}

ConfidenceInterval bootstrap_change(std::span<const double> a, std::span<const double> b, double confidence,
                                    std::uint64_t seed) {
  Random random{seed};
  std::vector<double> changes, drawn_a, drawn_b;
  while (changes.size() < resamples) {
    draw(a, random, drawn_a);
    draw(b, random, drawn_b);
    changes.push_back(relative_change(drawn_a, drawn_b));
  }
  std::ranges::sort(changes);
  const auto at = [&changes](double share) {
    return changes[static_cast<std::size_t>(std::lround(share * static_cast<double>(changes.size() - 1)))];
  };
  return {.low = at((1 - confidence) / 2), .high = at((1 + confidence) / 2)};
}

double mann_whitney(std::span<const double> a, std::span<const double> b) {
  const auto ranks = doubled_ranks(a, b);
  return ranks.size() <= exact_runs_max ? exact_p(ranks, a.size()) : normal_p(ranks, a.size());
}

double smallest_p(std::size_t a, std::size_t b) {
  double ways = 1;  // of a + b, choose a
  for (std::size_t n = 1; n <= a; ++n) ways *= static_cast<double>(b + n) / static_cast<double>(n);
  return std::min(1.0, 2 / ways);
}

}  // namespace mq::bench::results
