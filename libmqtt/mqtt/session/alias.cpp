#include <mqtt/session/alias.hpp>

namespace mqtt {
namespace {

/// A longer one gets no alias of its own accord: what others publish is not to fill a client's memory here.
constexpr std::size_t topic_max = 1024;

void put(std::vector<std::string>& topics, std::uint16_t alias, std::string_view topic) {
  if (topics.size() < alias) topics.resize(alias);
  topics[alias - 1u] = std::string{topic};  // without the room that a longer one had
}

std::string_view get(const std::vector<std::string>& topics, std::uint16_t alias) {
  return alias == 0 || alias > topics.size() ? std::string_view{} : std::string_view{topics[alias - 1u]};
}

}  // namespace

void IncomingAliases::set(std::uint16_t alias, std::string_view topic) {
  bytes_ += topic.size();
  bytes_ -= find(alias).size();
  put(topics_, alias, topic);
}

std::string_view IncomingAliases::find(std::uint16_t alias) const { return get(topics_, alias); }

OutgoingAliases::Choice OutgoingAliases::choose(std::string_view topic, std::uint16_t maximum) const {
  if (const auto found = by_topic_.find(topic); found != by_topic_.end()) return {found->second, true};
  if (topics_.size() >= maximum || topic.size() > topic_max) return {};
  return {static_cast<std::uint16_t>(topics_.size() + 1), false};
}

void OutgoingAliases::set(std::uint16_t alias, std::string_view topic) {
  const std::string_view former = find(alias);
  if (former == topic) return;
  if (const auto found = by_topic_.find(former); found != by_topic_.end() && found->second == alias)
    by_topic_.erase(found);
  put(topics_, alias, topic);
  by_topic_.insert_or_assign(std::string{topic}, alias);
}

std::string_view OutgoingAliases::find(std::uint16_t alias) const { return get(topics_, alias); }

}  // namespace mqtt
