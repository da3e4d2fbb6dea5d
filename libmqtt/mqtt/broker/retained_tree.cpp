#include <mqtt/broker/retained_tree.hpp>

#include <utility>

namespace mqtt::broker {

RetainedTree::~RetainedTree() {
  for (Cursor* cursor = cursors_; cursor; cursor = cursor->following_) cursor->tree_ = nullptr;
}

MessagePtr RetainedTree::set(std::string_view topic, MessagePtr message) {
  Retained& retained = tree_.value(tree_.make(topic)).retained;
  retained.sequence = ++sequence_;
  if (!retained.message) ++count_;
  if (retained.message) message_bytes_ -= retained.message->size_bytes();
  message_bytes_ += message->size_bytes();
  return std::exchange(retained.message, std::move(message));
}

MessagePtr RetainedTree::erase(std::string_view topic) {
  const auto node = tree_.find(topic);
  if (!node || !tree_.value(*node).retained.message) return nullptr;
  MessagePtr message = std::move(tree_.value(*node).retained.message);
  --count_;
  message_bytes_ -= message->size_bytes();
  prune(*node);
  return message;
}

std::size_t RetainedTree::bytes_with(std::string_view topic, std::size_t size_bytes) const {
  const Retained* const former = find(topic);
  if (former) return bytes() - former->message->size_bytes() + size_bytes;
  return bytes() + size_bytes + tree_.count_missing(topic) * node_bytes + topic.size();
}

const Retained* RetainedTree::find(std::string_view topic) const {
  const auto node = tree_.find(topic);
  if (!node) return nullptr;
  const Retained& retained = tree_.value(*node).retained;
  return retained.message ? &retained : nullptr;
}

void RetainedTree::prune(NodeId node) {
  tree_.prune(node, [](const Topic& topic) { return !topic.retained.message && topic.cursors == 0; });
}

RetainedTree::Cursor::Cursor(RetainedTree& tree, std::string_view filter)
    : tree_{&tree}, following_{tree.cursors_}, filter_{filter}, last_sequence_{tree.sequence_} {
  if (following_) following_->previous_ = this;
  tree.cursors_ = this;
  stand();
}

RetainedTree::Cursor::~Cursor() {
  if (tree_) finish();
}

MessagePtr RetainedTree::Cursor::next(std::size_t& steps) {
  if (!tree_) return nullptr;
  const NodeId before = node_;
  MessagePtr found;
  bool ended = false;
  for (; !found && !ended && steps > 0; --steps) {
    ended = !descend() && !climb();
    if (!ended && matches()) found = message_here();
  }
  stand();
  leave(before);
  if (ended) finish();
  return found;
}

/// Whether the node's own message matches: no level of the filter is left, or only '#'.
bool RetainedTree::Cursor::matches() const {
  return below_hash_ || at_ > filter_.size() || level_at(filter_, at_) == "#";
}

MessagePtr RetainedTree::Cursor::message_here() const {
  const Retained& retained = tree_->tree_.value(node_).retained;
  return retained.sequence <= last_sequence_ ? retained.message : nullptr;
}

/// Goes to the first child that the filter allows; false: there is none.
bool RetainedTree::Cursor::descend() {
  const auto& tree = tree_->tree_;
  if (below_hash_) return go_to(tree.first_child(node_));
  if (at_ > filter_.size()) return false;
  const std::string_view level = level_at(filter_, at_);
  if (level == "#") {
    below_hash_ = true;
    base_ = node_;
    return go_to(skip_shielded(tree.first_child(node_)));
  }
  if (!go_to(level == "+" ? skip_shielded(tree.first_child(node_)) : tree.find_child(node_, level)))
    return false;
  at_ += level.size() + 1;
  return true;
}

/// Goes to the next sibling that the filter allows, of the node or of the nearest ancestor that has one;
/// false: there is none, and the node is the root again.
bool RetainedTree::Cursor::climb() {
  const auto& tree = tree_->tree_;
  for (; node_ != tree.root; node_ = tree.parent(node_)) {
    if (node_ == base_) below_hash_ = false;
    const std::size_t level_start = below_hash_ ? at_ : level_before(at_);
    const bool any_sibling = below_hash_ || level_at(filter_, level_start) == "+";
    if (any_sibling && go_to(skip_shielded(tree.next_sibling(node_)))) return true;
    at_ = level_start;
  }
  return false;
}

/// Where the level of the filter before the one at `at` starts.
std::size_t RetainedTree::Cursor::level_before(std::size_t at) const {
  const std::size_t end = at - 1;
  return end == 0 ? 0 : filter_.rfind('/', end - 1) + 1;
}

/// `node` or its next sibling that a wildcard may match: none of the first level that starts with '$'
/// [MQTT-4.7.2-1].
NodeId RetainedTree::Cursor::skip_shielded(NodeId node) const {
  const auto& tree = tree_->tree_;
  while (node != tree.root && tree.parent(node) == tree.root && tree.level(node).starts_with('$'))
    node = tree.next_sibling(node);
  return node;
}

bool RetainedTree::Cursor::go_to(NodeId node) {
  if (node == LevelTree<Topic>::root) return false;
  node_ = node;
  return true;
}

void RetainedTree::Cursor::stand() { ++tree_->tree_.value(node_).cursors; }

void RetainedTree::Cursor::leave(NodeId node) {
  --tree_->tree_.value(node).cursors;
  tree_->prune(node);
}

void RetainedTree::Cursor::finish() {
  leave(node_);
  (previous_ ? previous_->following_ : tree_->cursors_) = following_;
  if (following_) following_->previous_ = previous_;
  tree_ = nullptr;
}

}  // namespace mqtt::broker
