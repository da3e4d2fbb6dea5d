#include "mqsub/topic_outline.hpp"

#include <fmt/format.h>

#include <mqtt/util/text.hpp>

#include "mqsub/screen.hpp"

namespace mq {

struct TopicOutline::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
  std::string payload;         // the last one, as far as it is kept
  std::uint64_t messages = 0;  // of this very topic

  /// Nodes of each depth below, the children's first.
  void count(std::vector<std::size_t>& by_depth, std::size_t depth) const {
    if (!children.empty() && by_depth.size() <= depth) by_depth.resize(depth + 1);
    for (const auto& [level, node] : children) ++by_depth[depth], node->count(by_depth, depth + 1);
  }
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

std::size_t TopicOutline::depth_that_fits(std::size_t rows_max) const {
  std::vector<std::size_t> by_depth;
  root_->count(by_depth, 0);
  std::size_t depth = 0, rows = 0;
  while (depth < by_depth.size() && (rows += by_depth[depth]) <= rows_max) ++depth;
  return depth > 0 ? depth : 1;
}

std::vector<std::string> TopicOutline::lines(std::size_t rows_max) const {
  std::vector<std::string> result;
  const std::size_t depth_max = depth_that_fits(rows_max);
  const auto draw = [&](const auto& self, const Node& parent, const std::string& indent,
                        std::size_t depth) -> void {
    for (auto at = parent.children.begin(); at != parent.children.end(); ++at) {
      const bool last = std::next(at) == parent.children.end();
      const Node& node = *at->second;
      std::string line = indent + (last ? "└─ " : "├─ ") + label(at->first, node.payload, node.messages);
      const bool folded = depth == depth_max && !node.children.empty();
      if (folded)
        line += fmt::format(" … {} topics, {} messages", node.topics_below(), node.messages_below());
      result.push_back(std::move(line));
      if (!folded) self(self, node, indent + (last ? "   " : "│  "), depth + 1);
    }
  };
  draw(draw, *root_, "", 1);
  if (result.size() <= rows_max) return result;
  const std::size_t hidden = result.size() - rows_max + 1;
  result.resize(rows_max - 1);
  result.push_back(fmt::format("… {} more", hidden));
  return result;
}

}  // namespace mq
