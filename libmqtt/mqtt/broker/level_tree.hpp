#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/broker/edge_table.hpp>
#include <mqtt/broker/level_hash.hpp>
#include <mqtt/broker/level_text.hpp>

namespace mqtt::broker {

/// The level of `path` that starts at `at`; `at` is at most path.size().
[[nodiscard]] inline std::string_view level_at(std::string_view path, std::size_t at) {
  return path.substr(at, path.find('/', at) - at);
}

/// Topic names or filters as one tree of their levels, each node with a Value. Finding a child costs
/// the same however many there are: all edges of the tree stand in one hash table. Nothing recurses, so
/// a topic of 65,535 slashes is only long. Nodes stay where they are until erased.
template <class Value>
class LevelTree {
 public:
  /// Nobody's child, so its id also stands for "no node".
  static constexpr NodeId root = 0;

  /// `seed`: see hash_level().
  explicit LevelTree(std::uint64_t seed) : seed_{seed} { emplace(root, ""); }
  ~LevelTree() { free_all(); }
  LevelTree(const LevelTree&) = delete;
  LevelTree& operator=(const LevelTree&) = delete;

  [[nodiscard]] Value& value(NodeId node) { return at(node).value; }
  [[nodiscard]] const Value& value(NodeId node) const { return at(node).value; }
  [[nodiscard]] std::string_view level(NodeId node) const { return at(node).text.view(); }
  [[nodiscard]] NodeId parent(NodeId node) const { return at(node).parent; }
  /// In the order they were made.
  [[nodiscard]] NodeId first_child(NodeId node) const { return at(node).first_child; }
  [[nodiscard]] NodeId next_sibling(NodeId node) const { return at(node).next; }

  [[nodiscard]] NodeId find_child(NodeId node, std::string_view text) const {
    return edges_.find(hash_level(seed_, node, text), [&](NodeId candidate) {
      return at(candidate).parent == node && level(candidate) == text;
    });
  }

  /// Nothing if there is no such path.
  [[nodiscard]] std::optional<NodeId> find(std::string_view path) const {
    NodeId node = root;
    for (std::size_t at = 0; at <= path.size();) {
      const std::string_view text = level_at(path, at);
      node = find_child(node, text);
      if (node == root) return std::nullopt;
      at += text.size() + 1;
    }
    return node;
  }

  /// Makes what is not there yet.
  NodeId make(std::string_view path) {
    NodeId node = root;
    for (std::size_t at = 0; at <= path.size();) {
      const std::string_view text = level_at(path, at);
      const NodeId child = find_child(node, text);
      node = child != root ? child : add_child(node, text);
      at += text.size() + 1;
    }
    return node;
  }

  /// Erases `node` and then its ancestors, as long as they have no children and `is_bare(value)` holds.
  template <class IsBare>
  void prune(NodeId node, IsBare is_bare) {
    while (node != root && first_child(node) == root && is_bare(value(node))) {
      const NodeId above = parent(node);
      erase(node);
      node = above;
    }
  }

  /// The topic name or filter that `node` stands for.
  [[nodiscard]] std::string path(NodeId node) const {
    std::size_t size = 0;
    for (NodeId n = node; n != root; n = parent(n)) size += level(n).size() + 1;
    std::string text(size > 0 ? size - 1 : 0, '/');
    std::size_t end = text.size();
    for (NodeId n = node; n != root; n = parent(n)) {
      level(n).copy(text.data() + end - level(n).size(), level(n).size());
      end -= level(n).size() + 1;  // wraps around after the first level, which is the last step
    }
    return text;
  }

  /// How many nodes make() would add.
  [[nodiscard]] std::size_t count_missing(std::string_view path) const {
    NodeId node = root;
    for (std::size_t at = 0; at <= path.size();) {
      const std::string_view text = level_at(path, at);
      node = find_child(node, text);
      if (node == root) return 1 + static_cast<std::size_t>(std::ranges::count(path.substr(at), '/'));
      at += text.size() + 1;
    }
    return 0;
  }

  /// Nodes without the root.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Bytes of those level texts that have no room in their nodes.
  [[nodiscard]] std::size_t text_bytes() const { return text_bytes_; }
  /// Without what the values hold elsewhere. A block of nodes is given back when the last of them goes.
  [[nodiscard]] std::size_t memory_bytes() const {
    return block_count_ * sizeof(Block) + edges_.memory_bytes() + text_bytes_;
  }

 private:
  struct Node {
    Node(NodeId above, std::string_view level) : parent{above}, text{level} {}

    NodeId parent;
    NodeId first_child = root;
    NodeId next = root;      // root: this is the last one
    NodeId previous = root;  // of the first one: the last one, so that adding finds it
    LevelText text;
    Value value{};
  };
  // Blocks, so that growing neither copies nodes nor needs room for two of each.
  static constexpr std::uint32_t block_nodes = 256;
  union Slot {
    Slot() {}
    ~Slot() {}
    std::uint32_t next_free;  // within the block
    Node node;
  };
  struct Block {
    std::array<Slot, block_nodes> slots;
    std::uint32_t fresh = 0;                 // slots never used yet start here
    std::uint32_t first_free = block_nodes;  // of those given back; block_nodes: none
    std::uint32_t nodes = 0;
  };

  [[nodiscard]] Slot& slot(NodeId node) { return blocks_[node / block_nodes]->slots[node % block_nodes]; }
  [[nodiscard]] Node& at(NodeId node) { return slot(node).node; }
  [[nodiscard]] const Node& at(NodeId node) const {
    return blocks_[node / block_nodes]->slots[node % block_nodes].node;
  }

  NodeId add_child(NodeId parent, std::string_view text) {
    const NodeId node = emplace(parent, text);
    link(parent, node);
    edges_.insert(hash_level(seed_, parent, text), node);
    ++size_;
    return node;
  }

  NodeId emplace(NodeId parent, std::string_view text) {
    const NodeId node = take_slot();
    std::construct_at(&slot(node).node, parent, text);
    text_bytes_ += at(node).text.heap_bytes();
    return node;
  }

  NodeId take_slot() {
    const std::uint32_t place = block_with_room();
    Block& block = *blocks_[place];
    std::uint32_t index = block.first_free;
    if (index == block_nodes)
      index = block.fresh++;
    else
      block.first_free = block.slots[index].next_free;
    if (++block.nodes == block_nodes) with_room_.pop_back();
    return place * block_nodes + index;
  }

  std::uint32_t block_with_room() {
    if (with_room_.empty()) {
      with_room_.push_back(static_cast<std::uint32_t>(blocks_.size()));
      blocks_.emplace_back();
    }
    std::unique_ptr<Block>& block = blocks_[with_room_.back()];
    if (!block) {
      block = std::make_unique<Block>();
      ++block_count_;
    }
    return with_room_.back();
  }

  void give_back(NodeId node) {
    const std::uint32_t place = node / block_nodes;
    std::unique_ptr<Block>& block = blocks_[place];
    slot(node).next_free = block->first_free;
    block->first_free = node % block_nodes;
    if (block->nodes-- == block_nodes) with_room_.push_back(place);
    if (block->nodes > 0) return;
    block.reset();
    --block_count_;
  }

  void link(NodeId parent, NodeId node) {
    const NodeId first = at(parent).first_child;
    if (first == root) {
      at(parent).first_child = node;
      at(node).previous = node;
      return;
    }
    const NodeId last = at(first).previous;
    at(last).next = node;
    at(node).previous = last;
    at(first).previous = node;
  }

  void unlink(NodeId node) {
    const NodeId first = at(at(node).parent).first_child;
    const NodeId next = at(node).next, previous = at(node).previous;
    if (node == first) at(at(node).parent).first_child = next;
    if (node != first) at(previous).next = next;
    if (next != root) at(next).previous = previous;
    if (next == root && node != first) at(first).previous = previous;
  }

  /// It has no children.
  void erase(NodeId node) {
    edges_.erase(hash_level(seed_, parent(node), level(node)), node);
    unlink(node);
    text_bytes_ -= at(node).text.heap_bytes();
    std::destroy_at(&at(node));
    give_back(node);
    --size_;
  }

  void free_all() {
    NodeId node = root;
    while (true) {
      while (first_child(node) != root) node = first_child(node);
      if (node == root) break;
      const NodeId above = parent(node);
      at(above).first_child = next_sibling(node);
      std::destroy_at(&at(node));
      node = above;
    }
    std::destroy_at(&at(root));
  }

  std::uint64_t seed_;
  std::vector<std::unique_ptr<Block>> blocks_;  // null: none of its nodes is there
  std::vector<std::uint32_t> with_room_;        // places of blocks that are not full, null ones among them
  std::size_t block_count_ = 0;                 // that are not null
  EdgeTable edges_;
  std::size_t size_ = 0;
  std::size_t text_bytes_ = 0;
};

}  // namespace mqtt::broker
