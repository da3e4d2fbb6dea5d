#include <mqtt/inspect/past_sessions.hpp>

#include <algorithm>
#include <vector>

namespace mqtt {
namespace {

using Stage = OpenMessage::Stage;

/// Sessions, and what they hold: some hundred bytes each.
constexpr std::size_t weight_max = 200'000;
/// Messages of one session; with more it is not judged what is sent again.
constexpr std::size_t messages_max = 4096;
constexpr std::uint32_t never_expires = 0xFFFF'FFFF;

std::string_view client_id_of(const FlowState& state) {
  if (!state.connect) return {};
  const bool assigned = state.connack && state.connack->assigned_id;
  return assigned ? std::string_view{*state.connack->assigned_id} : state.connect->client_id;
}

/// Before 5.0 a session is clean or for good.
std::uint32_t expiry_of(const FlowState& state) {
  if (state.version != Version::v5) return state.connect->clean_start ? 0 : never_expires;
  const auto& last_word = state.side(Sender::client).disconnect;
  if (last_word && last_word->session_expiry) return *last_word->session_expiry;
  return state.connack->session_expiry.value_or(state.connect->session_expiry);
}

bool messages_known(const FlowState& state) {
  const bool past_known =
      !state.resumed() || (state.past && state.past->exists && state.past->messages_known);
  // 3.1 does not say whether a session was taken up.
  return past_known && (state.version != Version::v3_1 || state.connect->clean_start);
}

/// What is open now, in the order of the first PUBLISHes, behind what was open before and not sent again.
void take_messages(PastSession& past, const FlowState& state, Sender sender) {
  const auto side = static_cast<std::size_t>(sender);
  if (state.resumed_known()) {
    past.messages[side] = state.past->messages[side];
    past.publishes[side] = state.past->publishes[side];
  }
  std::vector<std::pair<std::uint64_t, PacketId>> order;
  for (const auto& [id, message] : state.side(sender).messages) {
    past.messages[side][id] = message;
    if (message.stage == Stage::published) order.emplace_back(message.first.number, id);
  }
  std::ranges::sort(order);
  for (const auto& [number, id] : order) past.publishes[side].expect(id);
  past.refused[side] = state.side(sender).refused;
}

PastSession left_by(const FlowState& state, TimePoint now) {
  PastSession past;
  const std::uint32_t expiry = expiry_of(state);
  past.exists = expiry != 0;
  past.ended = now;
  if (!past.exists) return past;
  if (expiry != never_expires) past.expiry = std::chrono::seconds{expiry};
  const auto open = state.side(Sender::client).messages.size() + state.side(Sender::server).messages.size();
  past.messages_known = messages_known(state) && open <= messages_max;
  if (past.messages_known)
    for (const Sender sender : {Sender::client, Sender::server}) take_messages(past, state, sender);
  past.subscriptions_known = state.subscriptions_known && state.requests.empty();
  if (past.subscriptions_known) past.subscriptions = state.subscriptions;
  return past;
}

std::size_t weight_of(const PastSession& past) {
  return 1 + past.messages[0].size() + past.messages[1].size() + past.subscriptions.size();
}

}  // namespace

PastSessions::Entry& PastSessions::entry_of(std::string_view server, std::string_view client_id) {
  std::string key{server};
  key += '\n';
  key += client_id;
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return entries_.front();
  }
  entries_.push_front({.key = std::move(key)});
  by_key_[entries_.front().key] = entries_.begin();
  ++weight_;
  return entries_.front();
}

void PastSessions::forget_oldest() {
  while (weight_ > weight_max && entries_.size() > 1) {
    weight_ -= entries_.back().weight;
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

PastSessions::Arrival PastSessions::arrived(std::uint64_t connection, std::string_view server,
                                            const FlowState& state) {
  const std::string_view client_id = client_id_of(state);
  if (client_id.empty()) return {};
  Entry& entry = entry_of(server, client_id);
  const std::uint64_t holder = entry.holder == connection ? 0 : entry.holder;
  if (holder != 0) entry.past.reset();
  entry.holder = connection;
  forget_oldest();
  return {entry.past, holder};
}

void PastSessions::ended(std::uint64_t connection, std::string_view server, const FlowState& state,
                         TimePoint now) {
  const std::string_view client_id = client_id_of(state);
  if (client_id.empty()) return;
  Entry& entry = entry_of(server, client_id);
  if (entry.holder != connection) return;
  entry.holder = 0;
  if (!state.connack || state.refused()) return;  // the session is as it was, or nobody knows
  entry.past = state.all_seen() ? std::optional{left_by(state, now)} : std::nullopt;
  weight_ -= entry.weight;
  entry.weight = entry.past ? weight_of(*entry.past) : 1;
  weight_ += entry.weight;
  forget_oldest();
}

}  // namespace mqtt
