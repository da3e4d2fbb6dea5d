#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::bridge {

enum class Direction : std::uint8_t {
  out,  ///< from this broker to the remote one
  in,   ///< the other way
  both,
};

/// What goes over a bridge, as mosquitto's "topic" lines say it: what matches `pattern` behind one side's
/// prefix is published behind the other side's prefix. Prefixes end with '/' if that is meant.
struct TopicRule {
  std::string pattern;  ///< empty: the local prefix alone is a topic, and so is the remote one
  Direction direction = Direction::out;
  QoS qos = QoS::at_least_once;  ///< at most
  std::string local_prefix{};
  std::string remote_prefix{};

  [[nodiscard]] bool goes_out() const { return direction != Direction::in; }
  [[nodiscard]] bool comes_in() const { return direction != Direction::out; }
  [[nodiscard]] std::string local_filter() const { return local_prefix + pattern; }
  [[nodiscard]] std::string remote_filter() const { return remote_prefix + pattern; }
};

/// "PATTERN [out|in|both [QOS [LOCAL-PREFIX [REMOTE-PREFIX]]]]", separated by spaces; "" is an empty word,
/// and what has spaces stands in double quotes. The error's context ends a sentence.
[[nodiscard]] Result<TopicRule> parse_topic_rule(std::string_view text);

/// All rules of a bridge. The first that fits a topic is the one that counts.
class TopicRules {
 public:
  explicit TopicRules(std::vector<TopicRule> rules) : rules_{std::move(rules)} {}

  /// What a topic of this side is called on the other one; nothing if it does not go there.
  [[nodiscard]] std::optional<std::string> to_remote(std::string_view topic) const;
  [[nodiscard]] std::optional<std::string> to_local(std::string_view topic) const;
  /// What a Response Topic of this side is to be called on the other one, so that an answer there comes back
  /// over the bridge to it; nothing if no rule brings it back.
  [[nodiscard]] std::optional<std::string> response_to_remote(std::string_view topic) const;
  [[nodiscard]] std::optional<std::string> response_to_local(std::string_view topic) const;
  [[nodiscard]] const std::vector<TopicRule>& all() const { return rules_; }

 private:
  std::vector<TopicRule> rules_;
};

}  // namespace mqtt::bridge
