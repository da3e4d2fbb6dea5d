#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace mqtt::broker {

/// A place in a LevelTree. Ids of erased nodes are used again.
using NodeId = std::uint32_t;

/// A set of nodes found by the hash of the edge that leads to them: open addressing with linear
/// probing, 8 bytes a cell. The hashes stand in the cells, so that strangers on the way and growing
/// cost no look at the nodes. Node 0, which no edge leads to, marks a free cell.
class EdgeTable {
 public:
  /// The node of this hash for which `is_it(node)` holds; 0 if there is none.
  template <class IsIt>
  [[nodiscard]] NodeId find(std::uint32_t hash, IsIt is_it) const {
    if (cells_.empty()) return 0;
    std::size_t at = hash & mask();
    while (cells_[at].node != 0 && !(cells_[at].hash == hash && is_it(cells_[at].node))) at = next(at);
    return cells_[at].node;
  }

  void insert(std::uint32_t hash, NodeId node) {
    if (4 * (size_ + 1) > 3 * cells_.size()) resize(std::max(cells_min, 2 * cells_.size()));
    cells_[find_free(hash)] = {hash, node};
    ++size_;
  }

  /// `node` is in the table.
  void erase(std::uint32_t hash, NodeId node) {
    std::size_t hole = hash & mask();
    while (cells_[hole].node != node) hole = next(hole);
    --size_;
    // Cells behind the hole move up, unless that would put them before their home.
    for (std::size_t at = next(hole); cells_[at].node != 0; at = next(at)) {
      const std::size_t from_home = (at - cells_[at].hash) & mask();
      if (from_home < ((at - hole) & mask())) continue;
      cells_[hole] = cells_[at];
      hole = at;
    }
    cells_[hole] = {};
    if (8 * size_ < cells_.size() && cells_.size() > cells_min) resize(cells_.size() / 2);
  }

  [[nodiscard]] std::size_t memory_bytes() const { return cells_.capacity() * sizeof(Cell); }

 private:
  struct Cell {
    std::uint32_t hash = 0;
    NodeId node = 0;
  };

  [[nodiscard]] std::size_t mask() const { return cells_.size() - 1; }
  [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  [[nodiscard]] std::size_t find_free(std::uint32_t hash) const {
    std::size_t at = hash & mask();
    while (cells_[at].node != 0) at = next(at);
    return at;
  }

  void resize(std::size_t count) {
    std::vector<Cell> old(count);
    old.swap(cells_);
    for (const Cell& cell : old)
      if (cell.node != 0) cells_[find_free(cell.hash)] = cell;
  }

  static constexpr std::size_t cells_min = 16;

  std::vector<Cell> cells_;  // a power of two, at most three quarters full, and not nearly empty
  std::size_t size_ = 0;
};

}  // namespace mqtt::broker
