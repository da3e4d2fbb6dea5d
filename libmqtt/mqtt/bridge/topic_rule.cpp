#include <mqtt/bridge/topic_rule.hpp>

#include <fmt/format.h>

#include <array>
#include <utility>

#include <mqtt/codec/topic.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::bridge {
namespace {

constexpr std::size_t words_max = 5;

std::unexpected<Error> fault(std::string what) { return fail(ErrorDomain::url, 0, std::move(what)); }

Result<std::vector<std::string>> split(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = text.find_first_not_of(' '); at != text.npos; at = text.find_first_not_of(' ', at)) {
    const bool quoted = text[at] == '"';
    const std::size_t begin = at + (quoted ? 1 : 0);
    at = text.find(quoted ? '"' : ' ', begin);
    if (quoted && at == text.npos) return fault("has a quotation mark too few");
    words.emplace_back(text.substr(begin, at == text.npos ? at : at - begin));
    if (at == text.npos) break;
    at += quoted ? 1 : 0;
    if (quoted && at < text.size() && text[at] != ' ') return fault("has no space behind a quotation mark");
  }
  return words;
}

Result<Direction> parse_direction(std::string_view word) {
  if (word == "out") return Direction::out;
  if (word == "in") return Direction::in;
  if (word == "both") return Direction::both;
  return fault(
      fmt::format("has the direction \"{}\", which is none of out, in and both", escape_for_terminal(word)));
}

Result<QoS> parse_qos(std::string_view word) {
  if (word == "0" || word == "1" || word == "2") return static_cast<QoS>(word.front() - '0');
  return fault(fmt::format("has the QoS \"{}\", which is none of 0, 1 and 2", escape_for_terminal(word)));
}

Result<void> check(const TopicRule& rule) {
  const auto side = [&](const std::string& prefix, std::string_view name) -> Result<void> {
    if (has_wildcard(prefix)) return fault(fmt::format("has a wildcard in its {} prefix", name));
    if (prefix.empty() && rule.pattern.empty())
      return fault(fmt::format("has neither pattern nor {} prefix", name));
    if (prefix.starts_with("$share/") || (prefix + rule.pattern).starts_with("$share/"))
      return fault("is a shared subscription, which a bridge has no use for");
    const auto wrong = find_topic_filter_error(prefix + rule.pattern);
    if (wrong) return fault(fmt::format("is no topic filter behind its {} prefix: {}", name, wrong->what));
    return {};
  };
  if (auto local = side(rule.local_prefix, "local"); !local) return local;
  return side(rule.remote_prefix, "remote");
}

/// What `topic` is behind `to` if it stands behind `from`.
std::optional<std::string> moved(const TopicRule& rule, std::string_view topic, const std::string& from,
                                 const std::string& to) {
  if (!topic.starts_with(from) || !topic_matches(from + rule.pattern, topic)) return std::nullopt;
  return to + std::string{topic.substr(from.size())};
}

}  // namespace

Result<TopicRule> parse_topic_rule(std::string_view text) {
  auto words = split(text);
  if (!words) return std::unexpected(std::move(words.error()));
  if (words->empty()) return fault("is empty");
  if (words->size() > words_max) return fault("has more than pattern, direction, QoS and two prefixes");
  TopicRule rule{.pattern = std::move(words->front())};
  words->resize(words_max);
  if (const std::string& word = (*words)[1]; !word.empty()) {
    const auto direction = parse_direction(word);
    if (!direction) return std::unexpected(direction.error());
    rule.direction = *direction;
  }
  if (const std::string& word = (*words)[2]; !word.empty()) {
    const auto qos = parse_qos(word);
    if (!qos) return std::unexpected(qos.error());
    rule.qos = *qos;
  }
  rule.local_prefix = std::move((*words)[3]);
  rule.remote_prefix = std::move((*words)[4]);
  if (auto ok = check(rule); !ok) return std::unexpected(std::move(ok.error()));
  return rule;
}

std::optional<std::string> TopicRules::to_remote(std::string_view topic) const {
  for (const TopicRule& rule : rules_) {
    if (!rule.goes_out()) continue;
    if (auto name = moved(rule, topic, rule.local_prefix, rule.remote_prefix)) return name;
  }
  return std::nullopt;
}

std::optional<std::string> TopicRules::to_local(std::string_view topic) const {
  for (const TopicRule& rule : rules_) {
    if (!rule.comes_in()) continue;
    if (auto name = moved(rule, topic, rule.remote_prefix, rule.local_prefix)) return name;
  }
  return std::nullopt;
}

/// An earlier rule may take the answer elsewhere: only what comes back to `topic` itself is an answer to it.
std::optional<std::string> TopicRules::response_to_remote(std::string_view topic) const {
  for (const TopicRule& rule : rules_) {
    if (!rule.comes_in()) continue;
    auto name = moved(rule, topic, rule.local_prefix, rule.remote_prefix);
    if (name && to_local(*name) == topic) return name;
  }
  return std::nullopt;
}

std::optional<std::string> TopicRules::response_to_local(std::string_view topic) const {
  for (const TopicRule& rule : rules_) {
    if (!rule.goes_out()) continue;
    auto name = moved(rule, topic, rule.remote_prefix, rule.local_prefix);
    if (name && to_remote(*name) == topic) return name;
  }
  return std::nullopt;
}

}  // namespace mqtt::bridge
