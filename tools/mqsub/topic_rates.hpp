#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/util/time.hpp>

namespace mq {

/// Counts messages by the first levels of their topics.
class TopicRates {
 public:
  struct Row {
    std::string filter;          ///< "a/#", "a/b"; "#" is all
    std::uint64_t messages = 0;  ///< since the beginning
    double per_second = 0;       ///< in the last interval
    double bytes_per_second = 0;
  };

  /// `depth`: how many levels of a topic make its group, from 1.
  explicit TopicRates(std::size_t depth) : depth_{depth} {}

  void add(std::string_view topic, std::size_t payload_bytes);
  /// Ends an interval that lasted so long. All first, then the groups, the busiest first.
  [[nodiscard]] std::vector<Row> take(mqtt::Duration interval);

  /// Groups that have a count of their own; what others send is only among all.
  static constexpr std::size_t groups_max = 10'000;

 private:
  struct Count {
    std::uint64_t messages = 0;
    std::uint64_t new_messages = 0;
    std::uint64_t new_bytes = 0;

    void add(std::size_t bytes) { ++messages, ++new_messages, new_bytes += bytes; }
  };

  [[nodiscard]] std::string_view group_of(std::string_view topic) const;
  [[nodiscard]] bool is_whole_topic(std::string_view group) const;
  [[nodiscard]] static Row take(std::string filter, Count& count, double seconds);

  std::size_t depth_;
  Count all_;
  std::map<std::string, Count, std::less<>> groups_;
};

}  // namespace mq
