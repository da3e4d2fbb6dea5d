#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mqtt/broker/retained_tree.hpp>
#include <mqtt/codec/topic.hpp>

#include "support/topic_input.hpp"

namespace mqtt::test {

/// A message to be told apart from others and never looked into.
inline broker::MessagePtr opaque_message() {
  const auto owner = std::make_shared<std::max_align_t>();
  return {owner, static_cast<const broker::Message*>(static_cast<const void*>(owner.get()))};
}

/// A RetainedTree and cursors on it next to a plain map, under operations made of bytes.
class RetainedExercise {
 public:
  explicit RetainedExercise(fuzz::Input input) : input_{input} {}

  /// What the two disagreed about first; nothing if they never did.
  std::optional<std::string> run() {
    while (!input_.empty() && !fault_) step();
    check("count", tree_.count() == map_.size());
    while (!replays_.empty() && !fault_) finish(replays_.size() - 1);
    return fault_;
  }

 private:
  /// A cursor, and what it still owes.
  struct Replay {
    std::string filter;
    std::unique_ptr<broker::RetainedTree::Cursor> cursor;
    std::map<std::string, broker::MessagePtr> owed;
  };

  void check(const std::string& what, bool holds) {
    if (!holds && !fault_) fault_ = what;
  }

  void step() {
    const unsigned action = input_.byte();
    switch (action % 8) {
      case 0:
      case 1:
      case 2: return set(take_topic_name(input_));
      case 3: return erase(take_topic_name(input_));
      case 4: return start(take_filter(input_));
      case 5: return drop_one();
      default: return advance(action / 8);
    }
  }

  void set(const std::string& topic) {
    const broker::MessagePtr message = opaque_message();
    check("replaced " + topic, tree_.set(topic, message) == known(topic));
    map_[topic] = message;
    forget(topic);
    check("found " + topic, tree_.find(topic) && tree_.find(topic)->message == message);
  }

  void erase(const std::string& topic) {
    check("erased " + topic, tree_.erase(topic) == known(topic));
    map_.erase(topic);
    forget(topic);
    check("not found " + topic, !tree_.find(topic));
  }

  broker::MessagePtr known(const std::string& topic) const {
    const auto entry = map_.find(topic);
    return entry == map_.end() ? nullptr : entry->second;
  }

  void forget(const std::string& topic) {
    for (Replay& replay : replays_) replay.owed.erase(topic);
  }

  void start(const std::string& filter) {
    if (replays_.size() == 8) finish(0);
    Replay replay{filter, std::make_unique<broker::RetainedTree::Cursor>(tree_, filter), {}};
    for (const auto& [topic, message] : map_)
      if (topic_matches(filter, topic)) replay.owed.emplace(topic, message);
    replays_.push_back(std::move(replay));
  }

  void drop_one() {
    if (!replays_.empty()) replays_.erase(replays_.begin() + input_.byte() % std::ssize(replays_));
  }

  void advance(unsigned times) {
    if (replays_.empty()) return;
    Replay& replay = replays_[input_.byte() % replays_.size()];
    for (; times > 0; --times) next(replay, 1 + times % 3);
  }

  void next(Replay& replay, std::size_t steps) {
    const broker::MessagePtr message = replay.cursor->next(steps);
    if (!message) return check("all came " + replay.filter, !replay.cursor->done() || replay.owed.empty());
    const auto owed = std::ranges::find(replay.owed, message, [](const auto& entry) { return entry.second; });
    check("owed " + replay.filter, owed != replay.owed.end());
    if (owed != replay.owed.end()) replay.owed.erase(owed);
  }

  void finish(std::size_t which) {
    Replay& replay = replays_[which];
    while (!replay.cursor->done() && !fault_) next(replay, static_cast<std::size_t>(-1));
    replays_.erase(replays_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  fuzz::Input input_;
  broker::RetainedTree tree_{7};
  std::map<std::string, broker::MessagePtr> map_;
  std::vector<Replay> replays_;
  std::optional<std::string> fault_;
};

}  // namespace mqtt::test
