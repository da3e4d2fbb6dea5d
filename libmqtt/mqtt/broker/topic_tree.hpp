#pragma once
#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/broker/level_tree.hpp>
#include <mqtt/broker/share_group.hpp>

namespace mqtt::broker {

/// All subscriptions. What a match costs depends on the levels of the topic and on what matches, not on
/// how many others there are. Filters are valid ones (find_topic_filter_error), "$share/NAME/FILTER"
/// among them.
class TopicTree {
 public:
  /// A random `seed` keeps clients from making the tree slow (hash_level()).
  explicit TopicTree(std::uint64_t seed = 0) : tree_{seed} {}

  /// Where the subscriptions to one filter stand: what a session keeps instead of the filter's text. Good
  /// as long as that session is subscribed.
  class Position {
   public:
    auto operator<=>(const Position&) const = default;

   private:
    friend class TopicTree;
    Position(NodeId node, std::uint32_t group) : node_{node}, group_{group} {}

    NodeId node_;
    std::uint32_t group_;  // index into groups_ and 1; 0: an ordinary subscription
  };

  struct Subscribed {
    bool existed;  // and was replaced [MQTT-3.8.4-3]
    Position position;
  };
  Subscribed subscribe(std::string_view filter, const Subscription& subscription);

  /// Where the subscription was; nothing if there was none.
  std::optional<Position> unsubscribe(std::string_view filter, SubscriberId subscriber);
  /// False: there was none.
  bool remove(Position position, SubscriberId subscriber);

  /// Where subscriptions to `filter` stand; nothing if neither it nor a filter below it has any.
  [[nodiscard]] std::optional<Position> position_of(std::string_view filter) const;
  [[nodiscard]] Position position_of(const ShareGroup& group) const;
  /// Null if there is none. Good until the tree changes.
  [[nodiscard]] const Subscription* find(std::string_view filter, SubscriberId subscriber) const;
  [[nodiscard]] const Subscription* find(Position position, SubscriberId subscriber) const;
  /// Null for the position of an ordinary subscription.
  [[nodiscard]] ShareGroup* group_at(Position position);
  /// The filter's text, "$share/NAME/" included.
  [[nodiscard]] std::string filter_of(Position position) const;
  [[nodiscard]] std::string filter_of(const ShareGroup& group) const;

  /// Calls visit(const Subscription&) for each ordinary subscription that matches, a subscriber's
  /// overlapping ones one by one, and visit(ShareGroup&) once for each group that does. `topic` is a
  /// valid topic name. `visit` neither changes the tree nor matches.
  template <class Visit>
  void match(std::string_view topic, Visit&& visit) {
    find_matching(topic);
    for (const NodeId node : matching_) {
      Filter& filter = tree_.value(node);
      for (const Subscription& subscription : filter.ordinary()) visit(subscription);
      for (const std::uint32_t group : filter.groups()) visit(*groups_[group - 1]);
    }
  }

  /// Nodes that the last match went through: what it cost.
  [[nodiscard]] std::size_t visited() const { return visited_; }

  /// Subscriptions, members of groups among them.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Of these, members of groups.
  [[nodiscard]] std::size_t shared_size() const { return shared_size_; }
  /// An estimate.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  /// The subscriptions to a filter that more than one has, or groups.
  struct Crowd {
    SubscriptionList ordinary;
    std::vector<std::uint32_t> groups;  // by name
  };
  /// The subscriptions to one filter. Most have one, which needs no further allocation.
  struct Filter {
    [[nodiscard]] std::span<const Subscription> ordinary() const;
    [[nodiscard]] std::span<const std::uint32_t> groups() const;
    [[nodiscard]] bool empty() const { return !crowd && !has_one; }
    [[nodiscard]] const Subscription* find(SubscriberId subscriber) const;
    bool put(const Subscription& subscription);
    bool erase(SubscriberId subscriber);
    Crowd& make_crowd();
    void dissolve_small_crowd();

    std::unique_ptr<Crowd> crowd;  // if there is one, it has everything
    Subscription one;
    bool has_one = false;
    // There may be a child '+' or '#'. Saves looking for those at each node of each match.
    bool may_have_plus = false;
    bool may_have_hash = false;
  };
  /// A node that the first levels of the topic have led to, and where the next one starts.
  struct Step {
    NodeId node;
    std::uint32_t at;
  };

  NodeId make(std::string_view filter);
  void note_wildcards(NodeId node);
  [[nodiscard]] std::size_t group_place(const Filter& filter, std::string_view name) const;
  std::uint32_t join_group(NodeId node, std::string_view name);
  void drop_group(std::uint32_t group);
  void prune(NodeId node);

  void find_matching(std::string_view topic);
  void follow(std::string_view topic, Step step, bool shielded);
  void follow_plus(Step from, std::uint32_t next);
  void follow_hash(NodeId from);
  void add_matching(NodeId node);

  LevelTree<Filter> tree_;
  std::vector<std::unique_ptr<ShareGroup>> groups_;
  std::vector<std::uint32_t> free_groups_;
  std::size_t size_ = 0;
  std::size_t shared_size_ = 0;
  std::size_t visited_ = 0;
  std::vector<Step> pending_;     // of a match; kept so that matching allocates nothing
  std::vector<NodeId> matching_;  // the same
};

}  // namespace mqtt::broker
