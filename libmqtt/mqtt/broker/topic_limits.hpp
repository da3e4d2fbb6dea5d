#pragma once
#include <algorithm>
#include <string_view>

#include <mqtt/broker/config.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt::broker {

/// Whether a topic name or filter is within the limits on length and levels.
[[nodiscard]] inline bool fits(std::string_view topic, const Limits& limits) {
  if (topic.size() > limits.topic_length) return false;
  return static_cast<std::size_t>(std::ranges::count(topic, '/')) < limits.topic_levels;
}

/// Levels of a filter, or of what is left of one.
[[nodiscard]] inline std::size_t count_levels(std::string_view filter) {
  return 1 + static_cast<std::size_t>(std::ranges::count(filter, '/'));
}

/// Levels of a filter that a match may have to go through although the topic's own levels do not lead there:
/// those from the first '+' on. Many filters of many such levels make every PUBLISH slow.
[[nodiscard]] inline std::size_t count_branching_levels(std::string_view filter) {
  const std::size_t plus = filter.find('+');
  return plus == std::string_view::npos ? 0 : count_levels(filter.substr(plus));
}

/// What a subscription costs, as a number of tree nodes: one for each level, three for those that branch, and
/// one for 64 bytes of text.
[[nodiscard]] inline std::size_t weight_of(std::string_view filter) {
  const std::string_view plain = split_shared(filter).filter;
  return count_levels(plain) + 2 * count_branching_levels(plain) + filter.size() / 64;
}

/// What so many subscriptions may weigh together: eight each, and one of them as much as a filter can. Eight
/// is a filter of eight levels, or of four with a '+' in the third.
[[nodiscard]] inline std::size_t weight_max(const Limits& limits, std::size_t subscriptions) {
  constexpr std::size_t unbounded = std::size_t{1} << 60;
  return 8 * std::min(subscriptions, unbounded) + 3 * limits.topic_levels + field_size_max / 64;
}

/// Topics that only the broker itself publishes on.
[[nodiscard]] inline bool is_brokers_own(std::string_view topic) {
  return topic == "$SYS" || topic.starts_with("$SYS/");
}

}  // namespace mqtt::broker
