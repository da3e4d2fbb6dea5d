#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <iterator>
#include <random>

// For random histories, which are known by their seed.

namespace mqtt::test {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_{seed} {}
  /// 0 to n - 1.
  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  T of(std::initializer_list<T> choices) {
    return std::data(choices)[below(choices.size())];
  }

 private:
  std::mt19937_64 random_;
};

/// What a variable of the environment says, such as MQ_HISTORIES.
[[nodiscard]] inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace mqtt::test
