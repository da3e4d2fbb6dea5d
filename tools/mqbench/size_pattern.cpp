#include "mqbench/size_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "mqbench/stamp.hpp"

namespace mq::bench {
namespace {

constexpr std::string_view normal_prefix = "normal:";
constexpr std::string_view choice_prefix = "choice:";
constexpr std::size_t choices_max = 1'000;

/// SplitMix64's step: one number of 64 random bits after the other.
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = state += 0x9E37'79B9'7F4A'7C15;
  z = (z ^ z >> 30) * 0xBF58'476D'1CE4'E5B9;
  z = (z ^ z >> 27) * 0x94D0'49BB'1331'11EB;
  return z ^ z >> 31;
}

/// The sum of twelve even numbers has nearly the bell's form, ends six deviations off, and comes out the same
/// on every machine, as no logarithm does. In 2^-16 deviations.
std::int64_t nearly_normal(std::uint64_t& state) {
  std::int64_t sum = 0;
  for (int words = 0; words < 3; ++words) {
    const std::uint64_t word = next_random(state);
    for (unsigned part = 0; part < 4; ++part) sum += static_cast<std::int64_t>(word >> 16 * part & 0xFFFF);
  }
  return sum - 6 * 0xFFFF;
}

std::optional<std::size_t> bytes_of(std::string_view text) {
  const auto bytes = mqtt::parse_size(text);
  return bytes && *bytes <= SizePattern::bytes_max ? bytes : std::nullopt;
}

std::unexpected<std::string> no_size(std::string_view text) {
  return std::unexpected(fmt::format(
      "{} is no size of up to 16M: 100, 64..1024, normal:500:100, choice:100*9,10000*1", in_quotes(text)));
}

}  // namespace

SizePattern::SizePattern(std::size_t bytes) : text_{std::to_string(bytes)}, min_{bytes}, max_{bytes} {}

SizePattern::Made SizePattern::parse(std::string_view text) {
  if (const auto bytes = bytes_of(text)) return SizePattern{*bytes};
  Made made = no_size(text);
  if (text.starts_with(normal_prefix))
    made = parse_normal(text);
  else if (text.starts_with(choice_prefix))
    made = parse_choices(text);
  else if (const std::size_t dots = text.find(".."); dots != std::string_view::npos)
    made = parse_range(text, dots);
  if (made) made->text_ = text;
  return made;
}

SizePattern::Made SizePattern::parse_range(std::string_view text, std::size_t dots) {
  const auto from = bytes_of(text.substr(0, dots)), to = bytes_of(text.substr(dots + 2));
  if (!from || !to || *from > *to) return no_size(text);
  SizePattern made;
  made.min_ = *from;
  made.max_ = *to;
  return made;
}

SizePattern::Made SizePattern::parse_normal(std::string_view text) {
  const std::string_view numbers = text.substr(normal_prefix.size());
  const std::size_t colon = std::min(numbers.find(':'), numbers.size());
  const auto mean = bytes_of(numbers.substr(0, colon));
  const auto deviation = bytes_of(numbers.substr(std::min(colon + 1, numbers.size())));
  if (!mean || !deviation) return no_size(text);
  if (*mean < Stamp::size)
    return std::unexpected(fmt::format("{}: the mean is below the stamp's {}", in_quotes(text), Stamp::size));
  SizePattern made;
  made.kind_ = Kind::normal;
  made.mean_ = *mean;
  made.deviation_ = *deviation;
  made.min_ = std::max(Stamp::size, *mean - std::min(6 * *deviation, *mean));
  made.max_ = std::min<std::size_t>(bytes_max, *mean + 6 * *deviation);
  return made;
}

SizePattern::Made SizePattern::parse_choices(std::string_view text) {
  SizePattern made;
  made.kind_ = Kind::choice;
  std::uint64_t sum = 0;
  for (std::string_view rest = text.substr(choice_prefix.size());;) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view choice = rest.substr(0, comma);
    const std::size_t star = std::min(choice.find('*'), choice.size());
    const auto bytes = bytes_of(choice.substr(0, star));
    const auto weight = star == choice.size() ? std::optional<std::uint32_t>{1}
                                              : mqtt::parse_number<std::uint32_t>(choice.substr(star + 1));
    if (!bytes || !weight || *weight == 0 || made.choices_.size() == choices_max) return no_size(text);
    made.choices_.push_back({*bytes, sum += *weight});
    if (comma == rest.size()) break;
    rest.remove_prefix(comma + 1);
  }
  const auto [least, most] = std::ranges::minmax_element(made.choices_, {}, &Choice::bytes);
  made.min_ = least->bytes;
  made.max_ = most->bytes;
  return made;
}

std::size_t SizePattern::of(std::uint64_t seed, std::uint32_t stream, std::uint64_t sequence) const {
  if (is_one()) return min_;
  std::uint64_t state = seed;
  state = next_random(state) ^ stream;
  state = next_random(state) ^ sequence;
  switch (kind_) {
    case Kind::even: return min_ + next_random(state) % (max_ - min_ + 1);
    case Kind::choice:
      return std::ranges::upper_bound(choices_, next_random(state) % choices_.back().up_to, {},
                                      &Choice::up_to)
          ->bytes;
    case Kind::normal: break;
  }
  const auto off = nearly_normal(state) * static_cast<std::int64_t>(deviation_) / 0xFFFF;
  const auto wanted = static_cast<std::int64_t>(mean_) + off;
  return static_cast<std::size_t>(
      std::clamp(wanted, static_cast<std::int64_t>(min_), static_cast<std::int64_t>(max_)));
}

}  // namespace mq::bench
