#include <mqtt/util/chunk.hpp>

#include <algorithm>
#include <utility>

namespace mqtt {

ChunkPool::Block ChunkPool::take(std::size_t size) {
  std::vector<Block>& blocks = spare(size);
  if (blocks.empty()) return std::make_unique_for_overwrite<std::uint8_t[]>(size);
  Block block = std::move(blocks.back());
  blocks.pop_back();
  return block;
}

void ChunkPool::give_back(Block block, std::size_t size) {
  if (spare(size).size() < spare_chunks_max) spare(size).push_back(std::move(block));
}

OutBuffer::OutBuffer(OutBuffer&& other) noexcept
    : pool_{other.pool_},
      segments_{std::move(other.segments_)},
      first_{std::exchange(other.first_, 0)},
      size_{std::exchange(other.size_, 0)} {
  other.segments_.clear();
}

OutBuffer& OutBuffer::operator=(OutBuffer&& other) noexcept {
  if (this == &other) return *this;
  clear();
  pool_ = other.pool_;
  segments_ = std::move(other.segments_);
  other.segments_.clear();
  first_ = std::exchange(other.first_, 0);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

MutableBytes OutBuffer::append(std::size_t size) {
  const bool fits = first_ < segments_.size() && segments_.back().block &&
                    segments_.back().capacity - segments_.back().size >= size;
  if (!fits) segments_.push_back(make_segment(size));
  Segment& last = segments_.back();
  const MutableBytes space{last.block.get() + (last.data - last.block.get()) + last.size, size};
  last.size += size;
  size_ += size;
  return space;
}

/// An empty one with room for `size` octets.
OutBuffer::Segment OutBuffer::make_segment(std::size_t size) {
  // The first one, or what stands between two references: the head of the next large message.
  const bool alone = first_ == segments_.size() || !segments_.back().block;
  const bool small = alone && size <= ChunkPool::small_chunk_bytes;
  Segment segment;
  segment.capacity = small ? ChunkPool::small_chunk_bytes : std::max(size, ChunkPool::chunk_bytes);
  segment.block = size <= ChunkPool::chunk_bytes ? pool_->take(segment.capacity)
                                                 : std::make_unique_for_overwrite<std::uint8_t[]>(size);
  segment.data = segment.block.get();
  return segment;
}

void OutBuffer::append_copy(Bytes bytes) {
  while (!bytes.empty()) {
    const Bytes part = bytes.first(std::min(bytes.size(), ChunkPool::chunk_bytes));
    std::ranges::copy(part, append(part.size()).begin());
    bytes = bytes.subspan(part.size());
  }
}

void OutBuffer::append_shared(const SharedBytes& payload) {
  if (!payload.owner || payload.bytes.size() < reference_from_bytes) return append_copy(payload.bytes);
  Segment segment;
  segment.owner = payload.owner;
  segment.data = payload.bytes.data();
  segment.size = payload.bytes.size();
  segments_.push_back(std::move(segment));
  size_ += payload.bytes.size();
}

std::size_t OutBuffer::gather(std::span<iovec> parts) const {
  std::size_t count = 0;
  for (std::size_t i = first_; i < segments_.size() && count < parts.size(); ++i) {
    const Segment& segment = segments_[i];
    if (segment.size == 0) continue;
    parts[count++] = iovec{const_cast<std::uint8_t*>(segment.data), segment.size};
  }
  return count;
}

void OutBuffer::consume(std::size_t size) {
  size_ -= size;
  while (size > 0) {
    Segment& front = segments_[first_];
    const std::size_t part = std::min(size, front.size);
    front.data += part;
    front.size -= part;
    if (front.block) front.capacity -= part;  // capacity counts from data
    size -= part;
    if (front.size > 0) break;
    release(front);
    ++first_;
  }
  if (size_ == 0) clear();
}

void OutBuffer::clear() {
  for (std::size_t i = first_; i < segments_.size(); ++i) release(segments_[i]);
  segments_.clear();
  first_ = 0;
  size_ = 0;
}

void OutBuffer::release(Segment& segment) {
  // Only standard blocks are recycled: data + capacity is the block's end.
  const auto total =
      segment.block ? static_cast<std::size_t>(segment.data - segment.block.get()) + segment.capacity : 0;
  if (total == ChunkPool::chunk_bytes || total == ChunkPool::small_chunk_bytes)
    pool_->give_back(std::move(segment.block), total);
  segment = Segment{};
}

}  // namespace mqtt
