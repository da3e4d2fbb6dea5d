#pragma once
#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <mqtt/broker/session.hpp>
#include <mqtt/util/siphash.hpp>

namespace mqtt::broker {

/// All sessions, by client id and by the number that subscriptions know them by.
class SessionTable {
 public:
  /// `key` keeps clients from choosing ids whose hashes collide.
  explicit SessionTable(SipKey key) : by_client_id_{0, Hash{{key}}} {}

  /// Null if there is none.
  [[nodiscard]] Session* find(std::string_view client_id) const {
    const auto found = by_client_id_.find(client_id);
    return found == by_client_id_.end() ? nullptr : *found;
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
    by_client_id_.insert(&session);
    return session;
  }
  template <class Visit>
  void for_each(Visit visit) {
    for (Session* const session : by_client_id_) visit(*session);
  }
  void remove(Session& session) {
    by_client_id_.erase(&session);
    free_.push_back(session.id);
    sessions_[session.id].reset();
  }

 private:
  static std::string_view id_of(std::string_view client_id) { return client_id; }
  static std::string_view id_of(const Session* session) { return session->client_id(); }

  struct Hash {
    using is_transparent = void;
    KeyedHash hash;
    std::size_t operator()(const auto& of) const { return hash(id_of(of)); }
  };
  struct SameId {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return id_of(a) == id_of(b); }
  };

  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<SubscriberId> free_;
  std::unordered_set<Session*, Hash, SameId> by_client_id_;
};

}  // namespace mqtt::broker
