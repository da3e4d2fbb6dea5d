#pragma once
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include <mqtt/codec/types.hpp>

namespace mqtt {

/// A map from Packet Identifiers to small values: open addressing with linear probing, so that a
/// session with few messages in flight holds few bytes and a steady one allocates nothing.
template <class Value>
class IdTable {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Bytes, as in a table that is half full.
  [[nodiscard]] std::size_t memory_bytes() const { return 2 * size_ * sizeof(Cell); }
  [[nodiscard]] bool contains(PacketId id) const { return find(id) != nullptr; }

  [[nodiscard]] const Value* find(PacketId id) const {
    if (size_ == 0) return nullptr;
    const Cell& cell = cells_[probe(id)];
    return cell.id == id ? &cell.value : nullptr;
  }
  [[nodiscard]] Value* find(PacketId id) { return const_cast<Value*>(std::as_const(*this).find(id)); }

  /// Inserts or replaces. `id` is not 0. Pointers from find() are void afterwards.
  Value& put(PacketId id, Value value) {
    if (2 * (size_ + 1) > cells_.size()) grow();
    Cell& cell = cells_[probe(id)];
    if (cell.id == 0) ++size_;
    cell = Cell{id, value};
    return cell.value;
  }

  void erase(PacketId id) {
    if (!contains(id)) return;
    std::size_t hole = probe(id);
    --size_;
    // Cells behind the hole move up, unless that would put them before their home.
    for (std::size_t i = next(hole); cells_[i].id != 0; i = next(i)) {
      const std::size_t from_home = (i - home(cells_[i].id)) & mask();
      if (from_home < ((i - hole) & mask())) continue;
      cells_[hole] = cells_[i];
      hole = i;
    }
    cells_[hole] = Cell{};
    if (size_ == 0 && cells_.size() > kept_cells) clear();
  }

  void clear() {
    cells_ = std::vector<Cell>{};  // {} would keep its room
    size_ = 0;
  }

  /// In no particular order; `visit` must not change the table.
  template <class Visit>
  void for_each(Visit visit) {
    for (Cell& cell : cells_)
      if (cell.id != 0) visit(cell.id, cell.value);
  }

 private:
  struct Cell {
    PacketId id = 0;
    Value value{};
  };

  [[nodiscard]] std::size_t mask() const { return cells_.size() - 1; }
  // Identifiers are handed out in sequence. Side by side they would be one cluster, and erase() would have to
  // look at all of it; multiples of the golden ratio spread a sequence evenly.
  [[nodiscard]] std::size_t home(PacketId id) const {
    return (id * 0x9E37'79B9u) >> std::countl_zero(static_cast<std::uint32_t>(mask()));
  }
  [[nodiscard]] std::size_t next(std::size_t index) const { return (index + 1) & mask(); }

  [[nodiscard]] std::size_t probe(PacketId id) const {
    std::size_t index = home(id);
    while (cells_[index].id != 0 && cells_[index].id != id) index = next(index);
    return index;
  }

  void grow() {
    std::vector<Cell> old(cells_.empty() ? 8 : 2 * cells_.size());
    old.swap(cells_);
    for (const Cell& cell : old)
      if (cell.id != 0) cells_[probe(cell.id)] = cell;
  }

  static constexpr std::size_t kept_cells = 64;  // of an empty table

  std::vector<Cell> cells_;  // a power of two, at most half full
  std::size_t size_ = 0;
};

}  // namespace mqtt
