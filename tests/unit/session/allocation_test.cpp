// In steady state a message costs no heap allocation.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "session_pair.hpp"

namespace {
std::size_t allocations = 0;
}

// Not inlined: g++ 12 would take malloc and free for mismatched to new and delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace mqtt {
namespace {

class SteadyState : public testing::Test {
 protected:
  void SetUp() override { test::connect(session_, handler_); }

  template <class Work>
  std::size_t allocations_of(Work work) {
    for (int i = 0; i < 100; ++i) work();
    const std::size_t before = allocations;
    for (int i = 0; i < 100; ++i) work();
    return allocations - before;
  }

  ChunkPool pool_;
  test::QuietHandler handler_;
  ClientSession session_{pool_, {.alias_policy = AliasPolicy::when_room}};
  const std::string payload_ = std::string(64, 'x');
};

TEST_F(SteadyState, SendingQos0AllocatesNothing) {
  const PublishView header{.topic = "some/topic/that/is/longer/than/a/short/string"};
  EXPECT_EQ(allocations_of([&] {
              (void)session_.publish({}, header, {as_bytes(payload_), nullptr});
              session_.output().consume(session_.output().size());
            }),
            0u);
}

TEST_F(SteadyState, ReceivingQos0AllocatesNothing) {
  const std::string packet = test::encoded(PublishView{.topic = "some/topic", .payload = as_bytes(payload_)});
  EXPECT_EQ(allocations_of([&] { session_.receive({}, as_bytes(packet), handler_); }), 0u);
}

TEST_F(SteadyState, ReceivingQos1AndAnsweringAllocatesNothing) {
  const std::string packet = test::encoded(
      PublishView{.qos = QoS::at_least_once, .topic = "t", .packet_id = 7, .payload = as_bytes(payload_)});
  EXPECT_EQ(allocations_of([&] {
              session_.receive({}, as_bytes(packet), handler_);
              session_.output().consume(session_.output().size());
            }),
            0u);
}

TEST_F(SteadyState, SendingQos1AllocatesNothing) {
  const PublishView header{.qos = QoS::at_least_once,
                           .topic = "some/topic/that/is/longer/than/a/short/string"};
  std::string answer = test::encoded(PubackView{{1, ReasonCode::success, {}}});
  EXPECT_EQ(allocations_of([&] {
              const PacketId id = *session_.publish({}, header, {as_bytes(payload_), nullptr});
              answer[2] = static_cast<char>(id >> 8);
              answer[3] = static_cast<char>(id & 0xFF);
              session_.receive({}, as_bytes(answer), handler_);
              session_.output().consume(session_.output().size());
            }),
            0u);
}

}  // namespace
}  // namespace mqtt
