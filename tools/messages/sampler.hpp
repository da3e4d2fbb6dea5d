#pragma once
#include <cmath>
#include <cstdint>
#include <random>

namespace mq {

/// Draws with a given probability, each time anew.
class Sampler {
 public:
  /// `probability` from 0 to 1.
  Sampler(double probability, std::uint64_t seed) : probability_{probability}, random_{seed} {}

  /// 1 is always, 0 is never: the drawn number is from 0 to below 1.
  [[nodiscard]] bool draw() {
    constexpr int digits = 53;  // of a double: both sides of the comparison are exact
    return std::ldexp(static_cast<double>(random_() >> (64 - digits)), -digits) < probability_;
  }

 private:
  double probability_;
  std::mt19937_64 random_;
};

}  // namespace mq
