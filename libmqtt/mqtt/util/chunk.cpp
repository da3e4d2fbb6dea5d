#include <mqtt/util/chunk.hpp>

#include <algorithm>
#include <utility>

namespace mqtt {
namespace {

/// A queue that a burst of large messages grew is not kept.
constexpr std::size_t kept_segments = 256;

}  // namespace

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

std::unique_ptr<OutQueue> ChunkPool::take_queue() {
  if (spare_queues_.empty()) return std::make_unique<OutQueue>();
  auto queue = std::move(spare_queues_.back());
  spare_queues_.pop_back();
  return queue;
}

void ChunkPool::give_back(std::unique_ptr<OutQueue> queue) {
  const bool usual = queue->segments.capacity() <= kept_segments;
  if (usual && spare_queues_.size() < spare_chunks_max) spare_queues_.push_back(std::move(queue));
}

OutBuffer& OutBuffer::operator=(OutBuffer&& other) noexcept {
  if (this == &other) return *this;
  clear();
  pool_ = other.pool_;
  queue_ = std::move(other.queue_);
  return *this;
}

OutQueue& OutBuffer::queue() {
  if (!queue_) queue_ = pool_->take_queue();
  return *queue_;
}

MutableBytes OutBuffer::append(std::size_t size) {
  OutQueue& to = queue();
  const bool fits = to.first < to.segments.size() && to.segments.back().block &&
                    to.segments.back().capacity - to.segments.back().size >= size;
  if (!fits) push(make_segment(size));
  Segment& last = to.segments.back();
  const MutableBytes space{last.block.get() + (last.data - last.block.get()) + last.size, size};
  last.size += size;
  to.size += size;
  return space;
}

/// An empty one with room for `size` bytes.
OutBuffer::Segment OutBuffer::make_segment(std::size_t size) const {
  // The first one, or what stands between two references: the head of the next large message.
  const bool alone = queue_->first == queue_->segments.size() || !queue_->segments.back().block;
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
  push(std::move(segment));
  queue_->size += payload.bytes.size();
}

void OutBuffer::push(Segment segment) {
  pool_->waiting_bytes_ += sizeof(Segment) + segment.capacity;
  queue().segments.push_back(std::move(segment));
}

std::size_t OutBuffer::gather(std::span<iovec> parts) const {
  if (!queue_) return 0;
  std::size_t count = 0;
  for (std::size_t i = queue_->first; i < queue_->segments.size() && count < parts.size(); ++i) {
    const Segment& segment = queue_->segments[i];
    if (segment.size == 0) continue;
    parts[count++] = iovec{const_cast<std::uint8_t*>(segment.data), segment.size};
  }
  return count;
}

void OutBuffer::consume(std::size_t size) {
  if (size == 0) return;
  OutQueue& from = *queue_;
  from.size -= size;
  while (size > 0) {
    Segment& front = from.segments[from.first];
    const std::size_t part = std::min(size, front.size);
    front.data += part;
    front.size -= part;
    if (front.block) front.capacity -= part;  // capacity counts from data
    size -= part;
    if (front.size > 0) break;
    release(front);
    ++from.first;
  }
  if (from.size == 0) return clear();
  // In a buffer that is never empty those that were written would pile up.
  if (from.first < kept_segments || from.first < from.segments.size() / 2) return;
  from.segments.erase(from.segments.begin(), from.segments.begin() + static_cast<std::ptrdiff_t>(from.first));
  from.first = 0;
}

void OutBuffer::clear() {
  if (!queue_) return;
  for (std::size_t i = queue_->first; i < queue_->segments.size(); ++i) release(queue_->segments[i]);
  queue_->segments.clear();
  queue_->first = 0;
  queue_->size = 0;
  pool_->give_back(std::move(queue_));
}

void OutBuffer::release(Segment& segment) {
  // Only standard blocks are recycled: data + capacity is the block's end.
  const auto total =
      segment.block ? static_cast<std::size_t>(segment.data - segment.block.get()) + segment.capacity : 0;
  pool_->waiting_bytes_ -= sizeof(Segment) + total;
  if (total == ChunkPool::chunk_bytes || total == ChunkPool::small_chunk_bytes)
    pool_->give_back(std::move(segment.block), total);
  segment = Segment{};
}

}  // namespace mqtt
