#include "mqsub/topic_rates.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace mq {

/// Up to and with the '/' behind the last level that counts; all of a topic that has no more levels.
std::string_view TopicRates::group_of(std::string_view topic) const {
  std::size_t end = 0;
  for (std::size_t level = 0; level < depth_; ++level) {
    const std::size_t slash = topic.find('/', end);
    if (slash == topic.npos) return topic;
    end = slash + 1;
  }
  return topic.substr(0, end);
}

/// It has fewer levels than count; a group ends with the '/' behind the last of them.
bool TopicRates::is_whole_topic(std::string_view group) const {
  return static_cast<std::size_t>(std::ranges::count(group, '/')) < depth_;
}

void TopicRates::add(std::string_view topic, std::size_t payload_bytes) {
  all_.add(payload_bytes);
  const std::string_view group = group_of(topic);
  auto at = groups_.find(group);
  if (at == groups_.end()) {
    if (groups_.size() >= groups_max) return;
    at = groups_.emplace(group, Count{}).first;
  }
  at->second.add(payload_bytes);
}

TopicRates::Row TopicRates::take(std::string filter, Count& count, double seconds) {
  const auto rate = [seconds](std::uint64_t value) {
    return seconds > 0 ? static_cast<double>(value) / seconds : 0.0;
  };
  return {.filter = std::move(filter),
          .messages = count.messages,
          .per_second = rate(std::exchange(count.new_messages, 0)),
          .bytes_per_second = rate(std::exchange(count.new_bytes, 0))};
}

std::vector<TopicRates::Row> TopicRates::take(mqtt::Duration interval) {
  const double seconds = std::chrono::duration<double>{interval}.count();
  std::vector<Row> rows{take("#", all_, seconds)};
  for (auto& [group, count] : groups_)
    rows.push_back(take(is_whole_topic(group) ? group : group + '#', count, seconds));
  std::sort(rows.begin() + 1, rows.end(), [](const Row& a, const Row& b) {
    return std::tie(b.per_second, b.messages, a.filter) < std::tie(a.per_second, a.messages, b.filter);
  });
  return rows;
}

}  // namespace mq
