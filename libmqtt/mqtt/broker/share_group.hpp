#pragma once
#include <string>
#include <string_view>

#include <mqtt/broker/edge_table.hpp>
#include <mqtt/broker/subscription.hpp>

namespace mqtt::broker {

/// The Shared Subscription of one ShareName to one filter (4.8.2): each message that matches goes to one
/// member.
class ShareGroup {
 public:
  ShareGroup(std::string_view name, NodeId node) : name_{name}, node_{node} {}

  [[nodiscard]] std::string_view name() const { return name_; }
  /// The node of its filter in the TopicTree.
  [[nodiscard]] NodeId node() const { return node_; }
  /// By subscriber. A group in a tree has at least one.
  [[nodiscard]] std::span<const Subscription> members() const { return members_.view(); }
  [[nodiscard]] const Subscription* find(SubscriberId subscriber) const { return members_.find(subscriber); }

  /// The index of the member whose turn it is. The turn goes on to the next one, so a caller that must
  /// pass over a member looks at those behind it, around the end.
  std::size_t next_start();

 private:
  friend class TopicTree;
  bool put(const Subscription& member);
  bool erase(SubscriberId subscriber);

  std::string name_;
  SubscriptionList members_;
  std::size_t turn_ = 0;  // less than the number of members, or 0
  NodeId node_;
};

}  // namespace mqtt::broker
