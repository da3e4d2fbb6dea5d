#pragma once
#include <memory>
#include <string>
#include <string_view>

#include <mqtt/broker/level_tree.hpp>
#include <mqtt/broker/message.hpp>

namespace mqtt::broker {

struct Retained {
  MessagePtr message;
  std::uint64_t sequence = 0;  // rises with each set()
};

/// The retained message of each topic (3.3.1.3).
class RetainedTree {
 public:
  class Cursor;

  /// A random `seed` keeps clients from making the tree slow (hash_level()).
  explicit RetainedTree(std::uint64_t seed = 0) : tree_{seed} {}
  ~RetainedTree();
  RetainedTree(const RetainedTree&) = delete;
  RetainedTree& operator=(const RetainedTree&) = delete;

  /// `topic` is a valid topic name, `message` not null. Returns the message that was replaced, or null.
  MessagePtr set(std::string_view topic, MessagePtr message);
  /// Returns what was there, or null.
  MessagePtr erase(std::string_view topic);
  /// Null if there is none. Good until the tree changes.
  [[nodiscard]] const Retained* find(std::string_view topic) const;
  [[nodiscard]] std::size_t count() const { return count_; }
  /// Bytes that the messages and the nodes of their topics take.
  [[nodiscard]] std::size_t bytes() const {
    return message_bytes_ + tree_.size() * node_bytes + tree_.text_bytes();
  }
  /// Of these, the messages.
  [[nodiscard]] std::size_t message_bytes() const { return message_bytes_; }
  /// What bytes() would be, at most, if a message of `size_bytes` were set.
  [[nodiscard]] std::size_t bytes_with(std::string_view topic, std::size_t size_bytes) const;
  /// Without the messages, with room for more.
  [[nodiscard]] std::size_t memory_bytes() const { return tree_.memory_bytes(); }

 private:
  struct Topic {
    Retained retained;
    std::uint32_t cursors = 0;  // that stand here: the node stays until they have gone on
  };

  /// A node and its edges: 75 to 86 bytes are measured in full blocks.
  static constexpr std::size_t node_bytes = 96;

  void prune(NodeId node);

  LevelTree<Topic> tree_;
  std::uint64_t sequence_ = 0;
  std::size_t count_ = 0;
  std::size_t message_bytes_ = 0;
  Cursor* cursors_ = nullptr;  // all of them, in a list
};

/// Walks over the retained messages that match a filter, a few at a time: the replay to a client goes on
/// as its connection takes them. The tree may change in between and may be destroyed: each message that
/// was there at the cursor's start, and still is, comes once. What is set later does not come, for it
/// reaches the subscriber live. Holds the filter and a place in the tree, whatever the number of messages.
class RetainedTree::Cursor {
 public:
  /// `filter` is a valid one without "$share/NAME/".
  Cursor(RetainedTree& tree, std::string_view filter);
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  /// Null: done(), or `steps` nodes were looked at without finding one; what was looked at is taken off
  /// it. A filter such as "+/+/x" may look at many; with a bound, others get their turn in between.
  MessagePtr next(std::size_t& steps);
  MessagePtr next() {
    std::size_t all = static_cast<std::size_t>(-1);
    return next(all);
  }
  [[nodiscard]] bool done() const { return tree_ == nullptr; }

 private:
  friend class RetainedTree;

  [[nodiscard]] bool matches() const;
  [[nodiscard]] MessagePtr message_here() const;
  [[nodiscard]] bool descend();
  [[nodiscard]] bool climb();
  [[nodiscard]] std::size_t level_before(std::size_t at) const;
  [[nodiscard]] NodeId skip_shielded(NodeId node) const;
  [[nodiscard]] bool go_to(NodeId node);
  void stand();
  void leave(NodeId node);
  void finish();

  RetainedTree* tree_;  // null: done
  Cursor* previous_ = nullptr;
  Cursor* following_ = nullptr;
  std::string filter_;
  std::uint64_t last_sequence_;
  NodeId node_ = LevelTree<Topic>::root;
  NodeId base_ = LevelTree<Topic>::root;  // all below it matches, if below_hash_
  std::size_t at_ = 0;  // where the level of the filter that node_'s children must match starts
  bool below_hash_ = false;
};

}  // namespace mqtt::broker
