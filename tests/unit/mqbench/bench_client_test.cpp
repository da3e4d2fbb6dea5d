#include "mqbench/bench_client.hpp"

#include <gtest/gtest.h>
#include <uv.h>

#include <mqtt/net/uv_stream.hpp>

namespace mq::bench {
namespace {

/// What the allocator takes for it, eight bytes of its own included.
template <class Object>
constexpr std::size_t heap_bytes() {
  return (sizeof(Object) + 8 + 15) / 16 * 16;
}

/// Of a kibibyte, which an idle connection may take: a client id takes 32, places in lists and heaps some 40,
/// and what connecting leaves in the heap the rest.
TEST(BenchClientSize, OfAnIdleConnectionIsPinned) {
  constexpr std::size_t connection = heap_bytes<uv_tcp_t>() + heap_bytes<mqtt::net::UvStream>();
  EXPECT_LE(connection + heap_bytes<BenchPublisher>(), 896u);
  EXPECT_LE(connection + heap_bytes<BenchSubscriber>(), 896u);
}

}  // namespace
}  // namespace mq::bench
