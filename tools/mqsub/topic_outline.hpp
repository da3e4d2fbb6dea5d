#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace mq {

/// The tree of all topics that were seen, with the last payload and the number of messages of each.
class TopicOutline {
 public:
  TopicOutline();
  ~TopicOutline();

  void add(std::string_view topic, std::string_view payload);

  /// One line per node, as a tree is drawn. From the top, what fits into `rows_max` lines is unfolded; the
  /// rest is summed up.
  [[nodiscard]] std::vector<std::string> lines(std::size_t rows_max) const;

  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  [[nodiscard]] std::uint64_t topics() const;

  /// Nodes that are kept; what comes on others is only counted.
  static constexpr std::size_t nodes_max = 50'000;
  /// Levels that have a node of their own; what is deeper is one name. The tree is walked recursively.
  static constexpr std::size_t levels_max = 200;
  /// Bytes of a payload that are kept.
  static constexpr std::size_t payload_max = 256;

 private:
  struct Node;

  [[nodiscard]] std::unordered_set<const Node*> nodes_that_unfold(std::size_t rows_max) const;
  Node* child(Node& parent, std::string_view level);

  std::unique_ptr<Node> root_;
  std::size_t nodes_ = 0;
  std::uint64_t messages_ = 0;
};

/// "1 topic, 3 messages"
[[nodiscard]] std::string topics_and_messages(std::uint64_t topics, std::uint64_t messages);

}  // namespace mq
