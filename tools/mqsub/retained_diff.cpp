#include "mqsub/retained_diff.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <mqtt/util/text.hpp>

#include "common/json_reader.hpp"

namespace mq {

std::expected<RetainedDiff, std::string> RetainedDiff::read_all(std::string_view lines) {
  RetainedDiff diff;
  MessageLineReader reader;
  for (std::size_t number = 1; !lines.empty(); ++number) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const auto line = reader.read(lines.substr(0, end));
    if (!line) return std::unexpected(fmt::format("line {}: {}", number, line.error().what));
    if (*line && !(*line)->topic) return std::unexpected(fmt::format("line {}: there is no topic", number));
    if (*line)
      diff.topics_[std::string{*(*line)->topic}] = {.payload = std::string{mqtt::as_text((*line)->payload)}};
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return diff;
}

void RetainedDiff::add(const mqtt::PublishView& message) {
  const auto at = topics_.find(message.topic);
  if (at == topics_.end()) {
    topics_.emplace(message.topic, Entry{.state = State::added});
    return;
  }
  if (at->second.state == State::added) return;
  at->second.state = at->second.payload == mqtt::as_text(message.payload) ? State::same : State::other;
}

void RetainedDiff::append(std::string& out) const {
  for (const auto& [topic, entry] : topics_) {
    if (entry.state == State::same) continue;
    out += entry.state == State::missing ? "- " : entry.state == State::added ? "+ " : "~ ";
    out += topic;
    out += '\n';
  }
}

bool RetainedDiff::differs() const {
  return std::ranges::any_of(topics_, [](const auto& each) { return each.second.state != State::same; });
}

}  // namespace mq
