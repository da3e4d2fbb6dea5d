#include "mqspy/takeovers.hpp"

#include <fmt/format.h>

#include <mqtt/util/text.hpp>

namespace mq::spy {
namespace {

/// Two clients that fight for an id come back within seconds, with back-off within a minute or so.
constexpr mqtt::Duration soon = std::chrono::minutes{2};
constexpr unsigned times_in_turns = 3;

/// Of ids that nobody has any more, kept for the next of them to come.
constexpr std::size_t ids_max = 65'536;

/// A capture may show several servers, each with clients of its own.
std::string key(const Link& link, std::string_view client_id) {
  return fmt::format("{}\n{}", link.server, client_id);
}

}  // namespace

void Takeovers::connecting(const Link& link, std::string_view client_id, mqtt::TimePoint now) {
  if (client_id.empty() || links_.contains(link.number)) return;
  if (ids_.size() >= ids_max) std::erase_if(ids_, [](const auto& each) { return each.second.holder == 0; });
  History& history = ids_[key(link, client_id)];
  links_[link.number] = {.client_id = std::string{client_id}, .address = link.client};
  if (history.holder != 0) take(history.holder, link, history, now);
  history.previous = history.holder;
  history.holder = link.number;
}

void Takeovers::take(std::uint64_t from, const Link& by, History& history, mqtt::TimePoint now) {
  const auto holder = links_.find(from);
  if (holder == links_.end()) return;
  holder->second.successor = by.number;
  holder->second.successor_address = by.client;
  history.times = now - history.last < soon ? history.times + 1 : 1;
  history.last = now;
}

void Takeovers::refused(const Link& link) {
  const auto found = links_.find(link.number);
  if (found == links_.end()) return;
  History& history = ids_[key(link, found->second.client_id)];
  if (history.holder == link.number) {
    const auto before = links_.find(history.previous);
    history.holder = before == links_.end() ? 0 : history.previous;
    if (before != links_.end()) before->second.successor = 0;
    if (history.times > 0) --history.times;
  }
  links_.erase(found);
}

std::optional<std::string> Takeovers::ended(const Link& link, const mqtt::FlowClose& close,
                                            const mqtt::FlowState& state) {
  const auto found = links_.find(link.number);
  if (found == links_.end()) return std::nullopt;
  const Holder holder = std::move(found->second);
  links_.erase(found);
  History& history = ids_[key(link, holder.client_id)];
  if (history.holder == link.number) history.holder = 0;
  // A client that goes by itself was not thrown out.
  const bool by_server = close.by == mqtt::Sender::server || state.side(mqtt::Sender::server).disconnect;
  if (holder.successor == 0 || !by_server) return std::nullopt;
  std::string why = fmt::format("taken over: c{} from {} came with the same client id {} as this one from {}",
                                holder.successor, holder.successor_address,
                                mqtt::escape_for_terminal(holder.client_id), holder.address);
  if (history.times >= times_in_turns)
    why += fmt::format("; connections take it from each other in turns, {} times so far", history.times);
  return why;
}

}  // namespace mq::spy
