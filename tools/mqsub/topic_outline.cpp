#include "mqsub/topic_outline.hpp"

#include <fmt/format.h>

#include <deque>

#include <mqtt/util/text.hpp>

#include "common/screen.hpp"

namespace mq {

struct TopicOutline::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
  std::string payload;         // the last one, as far as it is kept
  std::uint64_t messages = 0;  // of this very topic

  [[nodiscard]] std::uint64_t topics_below() const {
    std::uint64_t sum = 0;
    for (const auto& [level, node] : children) sum += (node->messages > 0 ? 1 : 0) + node->topics_below();
    return sum;
  }
  [[nodiscard]] std::uint64_t messages_below() const {
    std::uint64_t sum = 0;
    for (const auto& [level, node] : children) sum += node->messages + node->messages_below();
    return sum;
  }
};

namespace {

/// "name = payload (3)"
std::string label(std::string_view level, std::string_view payload, std::uint64_t messages) {
  std::string text = mqtt::escape_for_terminal(level);
  if (messages > 0) text += fmt::format(" = {} ({})", one_line(payload, TopicOutline::payload_max), messages);
  return text;
}

}  // namespace

TopicOutline::TopicOutline() : root_{std::make_unique<Node>()} {}
TopicOutline::~TopicOutline() = default;

TopicOutline::Node* TopicOutline::child(Node& parent, std::string_view level) {
  const auto at = parent.children.find(level);
  if (at != parent.children.end()) return at->second.get();
  if (nodes_ >= nodes_max) return nullptr;
  ++nodes_;
  return parent.children.emplace(level, std::make_unique<Node>()).first->second.get();
}

void TopicOutline::add(std::string_view topic, std::string_view payload) {
  ++messages_;
  Node* node = root_.get();
  for (std::size_t level = 1;; ++level) {
    const std::size_t slash = level < levels_max ? topic.find('/') : topic.npos;
    node = child(*node, topic.substr(0, slash));
    if (!node) return;
    if (slash == topic.npos) break;
    topic.remove_prefix(slash + 1);
  }
  ++node->messages;
  node->payload = payload.substr(0, payload_max + 1);  // one more tells that it goes on
}

std::uint64_t TopicOutline::topics() const { return root_->topics_below(); }

std::unordered_set<const TopicOutline::Node*> TopicOutline::nodes_that_unfold(std::size_t rows_max) const {
  std::unordered_set<const Node*> unfolded{root_.get()};
  std::size_t rows = root_->children.size();
  std::deque<const Node*> waiting{root_.get()};
  for (; !waiting.empty() && rows < rows_max; waiting.pop_front()) {
    for (const auto& [level, node] : waiting.front()->children) {
      if (node->children.empty() || rows + node->children.size() > rows_max) continue;
      rows += node->children.size();
      unfolded.insert(node.get());
      waiting.push_back(node.get());
    }
  }
  return unfolded;
}

std::vector<std::string> TopicOutline::lines(std::size_t rows_max) const {
  std::vector<std::string> result;
  const auto unfolded = nodes_that_unfold(rows_max);
  const auto draw = [&](const auto& self, const Node& parent, const std::string& indent) -> void {
    for (auto at = parent.children.begin(); at != parent.children.end(); ++at) {
      const bool last = std::next(at) == parent.children.end();
      const Node& node = *at->second;
      std::string line = indent + (last ? "└─ " : "├─ ") + label(at->first, node.payload, node.messages);
      const bool folded = !node.children.empty() && !unfolded.contains(&node);
      if (folded) line += " … " + topics_and_messages(node.topics_below(), node.messages_below());
      result.push_back(std::move(line));
      if (!folded) self(self, node, indent + (last ? "   " : "│  "));
    }
  };
  draw(draw, *root_, "");
  if (result.size() <= rows_max) return result;
  const std::size_t hidden = result.size() - rows_max + 1;
  result.resize(rows_max - 1);
  result.push_back(fmt::format("… {} more", hidden));
  return result;
}

std::string topics_and_messages(std::uint64_t topics, std::uint64_t messages) {
  return fmt::format("{} topic{}, {} message{}", topics, topics == 1 ? "" : "s", messages,
                     messages == 1 ? "" : "s");
}

}  // namespace mq
