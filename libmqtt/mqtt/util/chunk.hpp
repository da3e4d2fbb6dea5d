#pragma once
#include <sys/uio.h>

#include <memory>
#include <vector>

#include <mqtt/util/bytes.hpp>

namespace mqtt {

/// What an OutBuffer holds.
struct OutQueue {
  /// A piece of the output: a block of its own, or a reference to a payload.
  struct Segment {
    std::unique_ptr<std::uint8_t[]> block;  // owned storage, or null for a reference
    std::shared_ptr<const void> owner;      // keeps a referenced payload alive
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    std::size_t capacity = 0;  // of block; 0 for a reference
  };
  std::vector<Segment> segments;  // [first, end) are live
  std::size_t first = 0;
  std::size_t size = 0;  // bytes
};

/// Blocks of two sizes and queues for them, recycled between the output buffers of one loop. Not thread-safe.
class ChunkPool {
 public:
  /// One gathered write moves a few of these; small enough that an idle pool costs little.
  static constexpr std::size_t chunk_bytes = 16 * 1024;
  /// For the first packets of a turn and for heads between referenced payloads: ten thousand connections
  /// that answer a packet each in one turn are not to take a chunk each, which would leave the heap full
  /// of holes.
  static constexpr std::size_t small_chunk_bytes = 256;
  /// Of each size, kept for reuse; what a burst took beyond it goes back to the allocator.
  static constexpr std::size_t spare_chunks_max = 64;

  using Block = std::unique_ptr<std::uint8_t[]>;

  /// `size` is one of the two.
  [[nodiscard]] Block take(std::size_t size);
  void give_back(Block block, std::size_t size);
  /// An empty one.
  [[nodiscard]] std::unique_ptr<OutQueue> take_queue();
  /// It is empty.
  void give_back(std::unique_ptr<OutQueue> queue);

  /// What output buffers hold: blocks, full or not, and their places in queues. Payloads that these only
  /// refer to are their owners' cost.
  [[nodiscard]] std::size_t waiting_bytes() const { return waiting_bytes_; }
  /// What somebody keeps on either side of such buffers, and has counted there as `before`.
  void recount(std::size_t before, std::size_t now) { waiting_bytes_ += now - before; }

 private:
  friend class OutBuffer;

  [[nodiscard]] std::vector<Block>& spare(std::size_t size) {
    return size == small_chunk_bytes ? spare_small_ : spare_;
  }

  std::vector<Block> spare_;
  std::vector<Block> spare_small_;
  std::vector<std::unique_ptr<OutQueue>> spare_queues_;
  std::size_t waiting_bytes_ = 0;
};

/// Bytes on their way out: pooled chunks for what is small, references for large shared payloads,
/// drained by gathered writes. Order of appending is order of leaving. An empty one is two pointers:
/// thousands of them are idle at any time.
class OutBuffer {
 public:
  /// Payloads from this size on are referenced instead of copied, if they have an owner.
  static constexpr std::size_t reference_from_bytes = 4096;

  explicit OutBuffer(ChunkPool& pool) : pool_{&pool} {}
  ~OutBuffer() { clear(); }
  OutBuffer(OutBuffer&& other) noexcept = default;
  OutBuffer& operator=(OutBuffer&& other) noexcept;
  OutBuffer(const OutBuffer&) = delete;
  OutBuffer& operator=(const OutBuffer&) = delete;

  /// `size` contiguous bytes to be written by the caller before any other call. Valid until then.
  [[nodiscard]] MutableBytes append(std::size_t size);
  void append_copy(Bytes bytes);
  /// Copies what is small or has no owner, references the rest.
  void append_shared(const SharedBytes& payload);

  [[nodiscard]] std::size_t size() const { return queue_ ? queue_->size : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Fills `parts` from the front of the buffer; returns how many it filled. Nothing is consumed.
  [[nodiscard]] std::size_t gather(std::span<iovec> parts) const;
  /// Drops the first `size` bytes, which must be there.
  void consume(std::size_t size);
  void clear();

 private:
  using Segment = OutQueue::Segment;

  [[nodiscard]] OutQueue& queue();
  [[nodiscard]] Segment make_segment(std::size_t size) const;
  void push(Segment segment);
  void release(Segment& segment);

  ChunkPool* pool_;
  std::unique_ptr<OutQueue> queue_;  // null: empty
};

}  // namespace mqtt
