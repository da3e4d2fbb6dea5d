#pragma once
#include <algorithm>
#include <string_view>

#include <mqtt/broker/config.hpp>

namespace mqtt::broker {

/// Whether a topic name or filter is within the limits on length and levels.
[[nodiscard]] inline bool fits(std::string_view topic, const Limits& limits) {
  if (topic.size() > limits.topic_length) return false;
  return static_cast<std::size_t>(std::ranges::count(topic, '/')) < limits.topic_levels;
}

/// Topics that only the broker itself publishes on.
[[nodiscard]] inline bool is_brokers_own(std::string_view topic) {
  return topic == "$SYS" || topic.starts_with("$SYS/");
}

}  // namespace mqtt::broker
