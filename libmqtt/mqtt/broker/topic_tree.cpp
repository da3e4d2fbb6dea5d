#include <mqtt/broker/topic_tree.hpp>

#include <algorithm>
#include <functional>

#include <mqtt/codec/topic.hpp>

namespace mqtt::broker {

std::span<const Subscription> TopicTree::Filter::ordinary() const {
  if (crowd) return crowd->ordinary.view();
  return {&one, has_one ? 1u : 0u};
}

std::span<const std::uint32_t> TopicTree::Filter::groups() const {
  if (!crowd) return {};
  return crowd->groups;
}

const Subscription* TopicTree::Filter::find(SubscriberId subscriber) const {
  if (crowd) return crowd->ordinary.find(subscriber);
  return has_one && one.subscriber == subscriber ? &one : nullptr;
}

bool TopicTree::Filter::put(const Subscription& subscription) {
  const bool replaces_one = has_one && one.subscriber == subscription.subscriber;
  if (crowd || (has_one && !replaces_one)) return make_crowd().ordinary.put(subscription);
  one = subscription;
  has_one = true;
  return replaces_one;
}

bool TopicTree::Filter::erase(SubscriberId subscriber) {
  if (!find(subscriber)) return false;
  if (!crowd) {
    has_one = false;
    return true;
  }
  crowd->ordinary.erase(subscriber);
  dissolve_small_crowd();
  return true;
}

TopicTree::Crowd& TopicTree::Filter::make_crowd() {
  if (crowd) return *crowd;
  crowd = std::make_unique<Crowd>();
  if (has_one) crowd->ordinary.put(one);
  has_one = false;
  return *crowd;
}

void TopicTree::Filter::dissolve_small_crowd() {
  if (!crowd->groups.empty() || crowd->ordinary.size() > 1) return;
  has_one = !crowd->ordinary.empty();
  if (has_one) one = crowd->ordinary.view().front();
  crowd.reset();
}

TopicTree::Subscribed TopicTree::subscribe(std::string_view filter, const Subscription& subscription) {
  const SharedFilter shared = split_shared(filter);
  const NodeId node = make(shared.filter);
  Position position{node, 0};
  if (!shared.share_name.empty()) position.group_ = join_group(node, shared.share_name);
  const bool existed = position.group_ == 0 ? tree_.value(node).put(subscription)
                                            : groups_[position.group_ - 1]->put(subscription);
  if (!existed) ++size_;
  if (!existed && position.group_ != 0) ++shared_size_;
  return {existed, position};
}

std::optional<TopicTree::Position> TopicTree::unsubscribe(std::string_view filter, SubscriberId subscriber) {
  const auto position = position_of(filter);
  if (!position || !remove(*position, subscriber)) return std::nullopt;
  return position;
}

bool TopicTree::remove(Position position, SubscriberId subscriber) {
  if (!find(position, subscriber)) return false;
  --size_;
  if (position.group_ == 0) {
    tree_.value(position.node_).erase(subscriber);
  } else {
    --shared_size_;
    ShareGroup& group = *groups_[position.group_ - 1];
    group.erase(subscriber);
    if (group.members().empty()) drop_group(position.group_);
  }
  prune(position.node_);
  return true;
}

const Subscription* TopicTree::find(std::string_view filter, SubscriberId subscriber) const {
  const auto position = position_of(filter);
  return position ? find(*position, subscriber) : nullptr;
}

const Subscription* TopicTree::find(Position position, SubscriberId subscriber) const {
  if (position.group_ == 0) return tree_.value(position.node_).find(subscriber);
  return groups_[position.group_ - 1]->find(subscriber);
}

ShareGroup* TopicTree::group_at(Position position) {
  return position.group_ == 0 ? nullptr : groups_[position.group_ - 1].get();
}

std::string TopicTree::filter_of(Position position) const {
  if (position.group_ == 0) return tree_.path(position.node_);
  return filter_of(*groups_[position.group_ - 1]);
}

std::string TopicTree::filter_of(const ShareGroup& group) const {
  return "$share/" + std::string{group.name()} + '/' + tree_.path(group.node());
}

std::size_t TopicTree::memory_bytes() const {
  return tree_.memory_bytes() + size_ * sizeof(Subscription) + groups_.size() * sizeof(ShareGroup);
}

NodeId TopicTree::make(std::string_view filter) {
  const std::size_t nodes_before = tree_.size();
  const NodeId node = tree_.make(filter);
  if (tree_.size() != nodes_before && has_wildcard(filter)) note_wildcards(node);
  return node;
}

/// Tells the nodes on the way to a filter which of them have wildcards below.
void TopicTree::note_wildcards(NodeId node) {
  for (; node != tree_.root; node = tree_.parent(node)) {
    Filter& above = tree_.value(tree_.parent(node));
    if (tree_.level(node) == "+") above.may_have_plus = true;
    if (tree_.level(node) == "#") above.may_have_hash = true;
  }
}

std::optional<TopicTree::Position> TopicTree::position_of(std::string_view filter) const {
  const SharedFilter shared = split_shared(filter);
  const auto node = tree_.find(shared.filter);
  if (!node) return std::nullopt;
  if (shared.share_name.empty()) return Position{*node, 0};
  const Filter& at = tree_.value(*node);
  const std::size_t place = group_place(at, shared.share_name);
  if (place == at.groups().size()) return std::nullopt;
  const std::uint32_t group = at.groups()[place];
  if (groups_[group - 1]->name() != shared.share_name) return std::nullopt;
  return Position{*node, group};
}

TopicTree::Position TopicTree::position_of(const ShareGroup& group) const {
  const Filter& filter = tree_.value(group.node());
  return {group.node(), filter.groups()[group_place(filter, group.name())]};
}

/// Where the group `name` stands among those of a filter, or would stand.
std::size_t TopicTree::group_place(const Filter& filter, std::string_view name) const {
  const auto name_of = [this](std::uint32_t group) { return groups_[group - 1]->name(); };
  const auto groups = filter.groups();
  return static_cast<std::size_t>(std::ranges::lower_bound(groups, name, {}, name_of) - groups.begin());
}

std::uint32_t TopicTree::join_group(NodeId node, std::string_view name) {
  Crowd& crowd = tree_.value(node).make_crowd();
  const std::size_t place = group_place(tree_.value(node), name);
  if (place < crowd.groups.size() && groups_[crowd.groups[place] - 1]->name() == name)
    return crowd.groups[place];
  if (free_groups_.empty()) {
    groups_.emplace_back();
    free_groups_.push_back(static_cast<std::uint32_t>(groups_.size()));
  }
  const std::uint32_t group = free_groups_.back();
  free_groups_.pop_back();
  groups_[group - 1] = std::make_unique<ShareGroup>(name, node);
  crowd.groups.insert(crowd.groups.begin() + static_cast<std::ptrdiff_t>(place), group);
  return group;
}

void TopicTree::drop_group(std::uint32_t group) {
  Filter& filter = tree_.value(groups_[group - 1]->node());
  std::erase(filter.crowd->groups, group);
  filter.dissolve_small_crowd();
  groups_[group - 1].reset();
  free_groups_.push_back(group);
}

void TopicTree::prune(NodeId node) { tree_.prune(node, std::mem_fn(&Filter::empty)); }

/// Collects the nodes of all filters that match.
void TopicTree::find_matching(std::string_view topic) {
  const bool shielded = topic.starts_with('$');  // from wildcards in the first level [MQTT-4.7.2-1]
  matching_.clear();
  visited_ = 0;
  pending_.assign(1, Step{tree_.root, 0});
  while (!pending_.empty()) {
    const Step step = pending_.back();
    pending_.pop_back();
    ++visited_;
    follow(topic, step, shielded && step.node == tree_.root);
  }
}

void TopicTree::follow(std::string_view topic, Step from, bool shielded) {
  if (!shielded) follow_hash(from.node);  // at the end of the topic too: '#' matches the parent level
  if (from.at > topic.size()) return add_matching(from.node);
  const std::string_view level = level_at(topic, from.at);
  const auto next = static_cast<std::uint32_t>(from.at + level.size() + 1);
  if (!shielded) follow_plus(from, next);
  const NodeId child = tree_.find_child(from.node, level);
  if (child != tree_.root) pending_.push_back({child, next});
}

void TopicTree::follow_plus(Step from, std::uint32_t next) {
  if (!tree_.value(from.node).may_have_plus) return;
  const NodeId child = tree_.find_child(from.node, "+");
  if (child != tree_.root)
    pending_.push_back({child, next});
  else
    tree_.value(from.node).may_have_plus = false;
}

void TopicTree::follow_hash(NodeId from) {
  if (!tree_.value(from).may_have_hash) return;
  const NodeId child = tree_.find_child(from, "#");
  if (child != tree_.root)
    add_matching(child);
  else
    tree_.value(from).may_have_hash = false;
}

void TopicTree::add_matching(NodeId node) {
  if (!tree_.value(node).empty()) matching_.push_back(node);
}

}  // namespace mqtt::broker
