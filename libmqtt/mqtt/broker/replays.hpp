#pragma once
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <unordered_set>

#include <mqtt/broker/retained_tree.hpp>
#include <mqtt/broker/topic_tree.hpp>

namespace mqtt::broker {

/// Retained messages on their way to a new subscription.
struct Replay {
  Replay(RetainedTree& tree, std::string_view filter, TopicTree::Position at,
         const SubscriptionOptions& granted, std::uint32_t number)
      : cursor{tree, filter}, position{at}, options{granted}, identifier{number} {}

  RetainedTree::Cursor cursor;
  TopicTree::Position position;  // of the subscription
  SubscriptionOptions options;
  std::uint32_t identifier;  // 0: none
  // Of one that an earlier broker began:
  std::uint64_t until = std::numeric_limits<std::uint64_t>::max();  // the last message that is among them
  std::unordered_set<std::uint64_t> sent;                           // of QoS 2

  [[nodiscard]] bool is_due(const Message& message) const {
    return message.number() <= until && !sent.contains(message.number());
  }
};

/// Those of one client, in the order they began, at most one for each subscription. Holds no memory while
/// empty.
class Replays {
 public:
  [[nodiscard]] bool empty() const { return !parts_; }
  [[nodiscard]] bool contains(TopicTree::Position at) const { return parts_ && parts_->places.contains(at); }
  /// It must not be empty.
  [[nodiscard]] Replay& front() { return parts_->list.front(); }
  /// Null: there is none for `at`.
  [[nodiscard]] Replay* find(TopicTree::Position at) {
    if (!contains(at)) return nullptr;
    return &*parts_->places.find(at)->second;
  }
  void pop_front() { end(front().position); }

  /// There is none for `at`.
  void begin(RetainedTree& tree, std::string_view filter, TopicTree::Position at,
             const SubscriptionOptions& granted, std::uint32_t number) {
    if (!parts_) parts_ = std::make_unique<Parts>();
    parts_->list.emplace_back(tree, filter, at, granted, number);
    parts_->places.emplace(at, std::prev(parts_->list.end()));
  }

  /// Whether or not there is one.
  void end(TopicTree::Position at) {
    if (!parts_) return;
    const auto found = parts_->places.find(at);
    if (found == parts_->places.end()) return;
    parts_->list.erase(found->second);
    parts_->places.erase(found);
    if (parts_->list.empty()) parts_.reset();
  }

 private:
  struct Parts {
    std::list<Replay> list;
    std::map<TopicTree::Position, std::list<Replay>::iterator> places;
  };
  std::unique_ptr<Parts> parts_;
};

}  // namespace mqtt::broker
