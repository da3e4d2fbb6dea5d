#include <mqtt/util/chunk.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace mqtt::test {
namespace {

std::string content(const OutBuffer& buffer) {
  iovec parts[64];
  std::string out;
  for (const iovec& part : std::span{parts}.first(buffer.gather(parts)))
    out.append(static_cast<const char*>(part.iov_base), part.iov_len);
  return out;
}

TEST(OutBuffer, KeepsTheOrderOfAppending) {
  ChunkPool pool;
  OutBuffer buffer{pool};
  buffer.append_copy(as_bytes("head "));
  const SharedBytes large = SharedBytes::take(std::string(10'000, 'L'));
  buffer.append_shared(large);
  std::ranges::copy(std::string_view{" tail"}, buffer.append(5).begin());
  EXPECT_EQ(content(buffer), "head " + std::string(10'000, 'L') + " tail");
}

TEST(OutBuffer, SmallOrOwnerlessPayloadsAreCopied) {
  ChunkPool pool;
  OutBuffer buffer{pool};
  const SharedBytes small = SharedBytes::take("small");
  buffer.append_shared(small);
  EXPECT_EQ(small.owner.use_count(), 1);
  {
    const std::string gone(10'000, 'x');
    buffer.append_shared({as_bytes(gone), nullptr});
  }
  EXPECT_EQ(content(buffer), "small" + std::string(10'000, 'x'));
}

TEST(OutBuffer, AnAppendLargerThanAChunkIsContiguous) {
  ChunkPool pool;
  OutBuffer buffer{pool};
  std::ranges::fill(buffer.append(3 * ChunkPool::chunk_bytes), std::uint8_t{'y'});
  iovec part;
  ASSERT_EQ(buffer.gather({&part, 1}), 1u);
  EXPECT_EQ(part.iov_len, 3 * ChunkPool::chunk_bytes);
}

TEST(OutBuffer, AnyMixtureOfAppendingAndConsumingKeepsEveryByte) {
  std::mt19937 random{5};
  ChunkPool pool;
  OutBuffer buffer{pool};
  std::string expected;
  for (int step = 0; step < 5000; ++step) {
    std::string piece(random() % (random() % 10 == 0 ? 30'000u : 200u), '\0');
    for (char& c : piece) c = static_cast<char>(random());
    switch (random() % 3) {
      case 0: buffer.append_copy(as_bytes(piece)); break;
      case 1: buffer.append_shared(SharedBytes::take(piece)); break;
      default: std::ranges::copy(as_bytes(piece), buffer.append(piece.size()).begin()); break;
    }
    expected += piece;
    const std::size_t taken = std::min<std::size_t>(random() % 20'000, expected.size());
    iovec parts[3];
    std::string front;
    for (const iovec& part : std::span{parts}.first(buffer.gather(parts)))
      front.append(static_cast<const char*>(part.iov_base), part.iov_len);
    ASSERT_TRUE(expected.starts_with(front));
    buffer.consume(taken);
    expected.erase(0, taken);
    ASSERT_EQ(buffer.size(), expected.size());
  }
}

TEST(OutBuffer, ConsumedChunksComeBackFromThePool) {
  ChunkPool pool;
  const void* first = nullptr;
  {
    OutBuffer buffer{pool};
    first = buffer.append(10).data();
    buffer.consume(10);
  }
  OutBuffer other{pool};
  EXPECT_EQ(other.append(10).data(), first);
}

TEST(OutBuffer, MovesLeaveAnEmptyBuffer) {
  ChunkPool pool;
  OutBuffer a{pool};
  a.append_copy(as_bytes("x"));
  OutBuffer b{std::move(a)};
  EXPECT_EQ(content(b), "x");
  EXPECT_TRUE(a.empty());  // NOLINT: a moved-from buffer is empty by contract
  a = std::move(b);
  EXPECT_EQ(content(a), "x");
}

TEST(OutBuffer, CountsTheBlocksAndPlacesThatItHoldsAndNotOnlyTheirBytes) {
  ChunkPool pool;
  OutBuffer buffer{pool};
  for (int i = 0; i < 100; ++i) {
    buffer.append_copy(as_bytes("head"));
    buffer.append_shared(SharedBytes::take(std::string(OutBuffer::reference_from_bytes, 'x')));
  }
  EXPECT_GE(pool.waiting_bytes(), 100 * ChunkPool::small_chunk_bytes);
  buffer.consume(buffer.size() / 2);
  buffer.append_copy(as_bytes(std::string(3 * ChunkPool::chunk_bytes, 'x')));
  EXPECT_GE(pool.waiting_bytes(), 50 * ChunkPool::small_chunk_bytes + 3 * ChunkPool::chunk_bytes);
  buffer.consume(buffer.size());
  EXPECT_EQ(pool.waiting_bytes(), 0u);
}

}  // namespace
}  // namespace mqtt::test
