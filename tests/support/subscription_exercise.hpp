#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <mqtt/broker/topic_tree.hpp>
#include <mqtt/codec/topic.hpp>

#include "support/topic_input.hpp"

namespace mqtt::test {

/// A TopicTree next to a plain list whose filters are compared one by one, under operations made of bytes.
class SubscriptionExercise {
 public:
  explicit SubscriptionExercise(fuzz::Input input) : input_{input} {}

  /// What the two disagreed about first; nothing if they never did.
  std::optional<std::string> run() {
    while (!input_.empty() && !fault_) step();
    check("no. of subscriptions", tree_.size() == list_.size());
    while (!list_.empty() && !fault_) remove(list_.begin()->first);
    check("no. when all are gone", tree_.size() == 0);
    return fault_;
  }

 private:
  using Key = std::pair<std::string, broker::SubscriberId>;
  struct Entry {
    broker::Subscription subscription;
    broker::TopicTree::Position position;
  };
  /// Comparable results of a match.
  struct Matches {
    std::multiset<std::pair<broker::SubscriberId, std::uint32_t>> ordinary;
    std::map<std::string, std::set<broker::SubscriberId>> groups;
    bool operator==(const Matches&) const = default;
  };

  void check(const std::string& what, bool holds) {
    if (!holds && !fault_) fault_ = what;
  }

  void step() {
    switch (input_.byte() % 8) {
      case 0:
      case 1:
      case 2: return subscribe(take_subscription_filter(input_), subscriber());
      case 3: return unsubscribe({take_subscription_filter(input_), subscriber()});
      case 4: return remove_any();
      case 5: return look_at({take_subscription_filter(input_), subscriber()});
      default: return match(take_topic_name(input_));
    }
  }

  broker::SubscriberId subscriber() { return input_.byte() % 6u; }

  void subscribe(const std::string& filter, broker::SubscriberId subscriber) {
    broker::Subscription wanted{subscriber, {}, ++identifier_};
    wanted.options.qos = static_cast<QoS>(identifier_ % 3);
    const auto result = tree_.subscribe(filter, wanted);
    check("existed " + filter, result.existed == list_.contains({filter, subscriber}));
    list_.insert_or_assign({filter, subscriber}, Entry{wanted, result.position});
    look_at({filter, subscriber});
  }

  void unsubscribe(const Key& key) {
    const auto position = tree_.unsubscribe(key.first, key.second);
    const auto entry = list_.find(key);
    check("unsubscribed " + key.first, position.has_value() == (entry != list_.end()));
    if (entry == list_.end()) return;
    check("position of " + key.first, position == entry->second.position);
    list_.erase(entry);
  }

  void remove_any() {
    if (list_.empty()) return;
    const std::size_t which = input_.byte() % list_.size();
    remove(std::next(list_.begin(), static_cast<std::ptrdiff_t>(which))->first);
  }

  void remove(const Key& key) {
    const auto entry = list_.find(key);
    check("filter of " + key.first, tree_.filter_of(entry->second.position) == key.first);
    check("removed " + key.first, tree_.remove(entry->second.position, key.second));
    list_.erase(entry);
  }

  void look_at(const Key& key) {
    const broker::Subscription* found = tree_.find(key.first, key.second);
    const auto entry = list_.find(key);
    check("found " + key.first, (found != nullptr) == (entry != list_.end()));
    if (!found || entry == list_.end()) return;
    check("same as subscribed " + key.first, *found == entry->second.subscription);
    check("found at its place " + key.first, tree_.find(entry->second.position, key.second) == found);
  }

  void match(const std::string& topic) { check("match " + topic, match_tree(topic) == match_list(topic)); }

  Matches match_list(const std::string& topic) const {
    Matches matches;
    for (const auto& [key, entry] : list_) {
      const SharedFilter shared = split_shared(key.first);
      if (!topic_matches(shared.filter, topic)) continue;
      if (shared.share_name.empty())
        matches.ordinary.emplace(key.second, entry.subscription.identifier);
      else
        matches.groups[key.first].insert(key.second);
    }
    return matches;
  }

  Matches match_tree(const std::string& topic) {
    struct Collect {
      SubscriptionExercise& exercise;
      Matches matches{};
      void operator()(const broker::Subscription& s) { matches.ordinary.emplace(s.subscriber, s.identifier); }
      void operator()(broker::ShareGroup& group) {
        const std::string filter = exercise.tree_.filter_of(group);
        exercise.check("group once " + filter, !matches.groups.contains(filter));
        exercise.check("turn in " + filter, group.next_start() < group.members().size());
        for (const broker::Subscription& member : group.members())
          matches.groups[filter].insert(member.subscriber);
      }
    } collect{*this};
    tree_.match(topic, collect);
    return std::move(collect.matches);
  }

  fuzz::Input input_;
  broker::TopicTree tree_{7};
  std::map<Key, Entry> list_;
  std::uint32_t identifier_ = 0;
  std::optional<std::string> fault_;
};

}  // namespace mqtt::test
