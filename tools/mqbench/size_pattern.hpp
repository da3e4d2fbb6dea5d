#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace mq::bench {

/// How many bytes the payloads have:
///
///   100                     all the same; as everywhere, 64K and 1MB too
///   64..1024                evenly between, both ends included
///   normal:500:100          around 500 with a standard deviation of 100; never below the stamp, nor more
///   than
///                           six deviations off
///   choice:100*9,10000*1    of ten messages nine of 100 bytes and one of 10,000
///
/// A message's size follows from the seed, its stream and its sequence alone, so that a receiver knows it.
class SizePattern {
 public:
  static constexpr std::uint64_t bytes_max = 16 * 1024 * 1024;

  SizePattern() : SizePattern{100} {}
  explicit SizePattern(std::size_t bytes);
  /// The error is a clause for a person.
  [[nodiscard]] static std::expected<SizePattern, std::string> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::size_t min() const { return min_; }
  [[nodiscard]] std::size_t max() const { return max_; }
  [[nodiscard]] bool is_one() const { return min_ == max_; }
  [[nodiscard]] std::size_t of(std::uint64_t seed, std::uint32_t stream, std::uint64_t sequence) const;

  bool operator==(const SizePattern& other) const { return text_ == other.text_; }

 private:
  enum class Kind : std::uint8_t { even, normal, choice };
  struct Choice {
    std::size_t bytes;
    std::uint64_t up_to;  // sum of the weights so far
  };
  using Made = std::expected<SizePattern, std::string>;

  [[nodiscard]] static Made parse_range(std::string_view text, std::size_t dots);
  [[nodiscard]] static Made parse_normal(std::string_view text);
  [[nodiscard]] static Made parse_choices(std::string_view text);

  std::string text_;
  Kind kind_ = Kind::even;
  std::size_t min_ = 0;
  std::size_t max_ = 0;
  std::size_t mean_ = 0;  // of normal
  std::size_t deviation_ = 0;
  std::vector<Choice> choices_;
};

}  // namespace mq::bench
