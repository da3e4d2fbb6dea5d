#pragma once
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mqtt/broker/session.hpp>
#include <mqtt/util/siphash.hpp>

namespace mqtt::broker {

/// All sessions, by client id and by the number that subscriptions know them by.
class SessionTable {
 public:
  /// `key` keeps clients from choosing ids whose hashes collide.
  explicit SessionTable(SipKey key) : by_client_id_{0, KeyedHash{key}} {}

  /// Null if there is none.
  [[nodiscard]] Session* find(std::string_view client_id) const {
    const auto found = by_client_id_.find(client_id);
    return found == by_client_id_.end() ? nullptr : found->second;
  }
  [[nodiscard]] Session& at(SubscriberId id) const { return *sessions_[id]; }
  /// Null if the session with this number has ended. The number may be another one's by now.
  [[nodiscard]] const Session* find(SubscriberId id) const { return sessions_[id].get(); }
  [[nodiscard]] std::size_t size() const { return by_client_id_.size(); }

  /// There must be none of this name.
  Session& add(std::string client_id) {
    if (free_.empty()) {
      free_.push_back(static_cast<SubscriberId>(sessions_.size()));
      sessions_.emplace_back();
    }
    const SubscriberId id = free_.back();
    free_.pop_back();
    sessions_[id] = std::make_unique<Session>(id, std::move(client_id));
    Session& session = *sessions_[id];
    by_client_id_.emplace(session.client_id(), &session);
    return session;
  }
  void remove(Session& session) {
    by_client_id_.erase(session.client_id());
    free_.push_back(session.id);
    sessions_[session.id].reset();
  }

 private:
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<SubscriberId> free_;
  std::unordered_map<std::string_view, Session*, KeyedHash> by_client_id_;  // the text is the session's
};

}  // namespace mqtt::broker
