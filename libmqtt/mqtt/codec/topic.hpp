#pragma once
#include <optional>
#include <string_view>

#include <mqtt/codec/clause.hpp>

namespace mqtt {

/// What is wrong with a topic name or filter: the clause, the byte where it shows, and a sentence.
struct TopicError {
  Clause clause;
  std::size_t offset = 0;
  std::string_view what;
};

/// Rules of 4.7 and 1.5.4: one to 65,535 bytes of UTF-8 without U+0000 and without wildcards.
[[nodiscard]] std::optional<TopicError> find_topic_name_error(std::string_view name);

/// Rules of 4.7 for a filter: '#' last and alone in its level, '+' alone in its level; for
/// "$share/NAME/FILTER" also those of 4.8.2.
[[nodiscard]] std::optional<TopicError> find_topic_filter_error(std::string_view filter);

/// A filter taken apart: `share_name` is empty for an ordinary subscription.
struct SharedFilter {
  std::string_view share_name;
  std::string_view filter;
};
[[nodiscard]] SharedFilter split_shared(std::string_view filter);

/// Where the first '+' or '#' stands; npos if there is none.
[[nodiscard]] std::size_t find_wildcard(std::string_view text);
[[nodiscard]] inline bool has_wildcard(std::string_view filter) {
  return find_wildcard(filter) != filter.npos;
}

/// Whether `name` matches `filter` (4.7.1); both must be valid, `filter` without "$share/NAME/".
/// A filter that starts with a wildcard does not match names that start with '$' [MQTT-4.7.2-1].
[[nodiscard]] bool topic_matches(std::string_view filter, std::string_view name);

}  // namespace mqtt
