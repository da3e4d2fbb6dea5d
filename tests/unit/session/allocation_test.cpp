// In steady state a message costs no heap allocation, and what a burst took is given back.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>
#include <vector>

#include "session_pair.hpp"

namespace {
std::size_t allocations = 0;
std::size_t live_bytes = 0;
}  // namespace

// Not inlined: g++ 12 would take malloc and free for mismatched to new and delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (!memory) throw std::bad_alloc{};
  live_bytes += malloc_usable_size(memory);
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  live_bytes -= malloc_usable_size(memory);  // 0 for null
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

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

TEST_F(SteadyState, ARequestThatIsAnsweredLeavesNothing) {
  const std::string filter = "some/topic/that/is/longer/than/a/short/string/#";
  SubscriptionList list;
  list.add(filter, {});
  (void)session_.ping({});  // the output's pool has what it needs
  session_.output().consume(session_.output().size());
  const std::size_t before = live_bytes;
  const auto id = session_.subscribe({}, list.view());
  ASSERT_TRUE(id);
  session_.output().consume(session_.output().size());
  const std::uint8_t suback[] = {0x90, 4, 0, static_cast<std::uint8_t>(*id), 0, 0};
  session_.receive({}, suback, handler_);
  EXPECT_EQ(session_.requests_outstanding(), 0u);
  EXPECT_LE(live_bytes, before);
}

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

/// Of thousands most are idle: beside the object each holds its client id, and no more.
TEST(AnIdleSession, HoldsNoHeapBesideItsClientId) {
  ChunkPool pool;
  test::QuietHandler handler;
  ConnectOptions options;
  options.client_id = "mqbench-0a1b2c-p19999";
  const std::string connack = test::encoded(ConnackView{});
  const auto connect = [&](ClientSession& session) {
    ASSERT_TRUE(session.connect({}, options));
    session.receive({}, as_bytes(connack), handler);
    ASSERT_TRUE(session.connected());
    session.output().clear();
  };
  ClientSession first{pool}, second{pool};
  connect(first);  // the pool has what it needs
  const std::size_t before = live_bytes;
  connect(second);
  EXPECT_LE(live_bytes - before, options.client_id.size() + 1 + 15);
}

TEST(AfterABurst, InflightKeepsNoMoreThanAFewKilobytes) {
  Inflight messages;
  const std::string payload(4000, 'x');
  const std::size_t before = live_bytes;
  for (PacketId id = 1; id <= 256; ++id)
    messages.add(id, {.qos = QoS::at_least_once, .topic = "t"}, {as_bytes(payload), nullptr});
  for (PacketId id = 1; id <= 256; ++id) messages.remove(id);
  EXPECT_LT(live_bytes - before, 4096u);
  for (PacketId id = 1; id <= 256; ++id) {  // one after the other
    messages.add(id, {.qos = QoS::at_least_once, .topic = "t"}, {as_bytes(payload), nullptr});
    messages.remove(id);
  }
  EXPECT_LT(live_bytes - before, 4096u);
  EXPECT_EQ(messages.memory_bytes(), 0u);
}

TEST(AfterABurst, AcknowledgementsThatWereHeldBackKeepNothing) {
  AckQueue acks;
  std::vector<AckToken> tokens;
  tokens.reserve(1024);
  const std::size_t before = live_bytes;
  for (PacketId id = 1; id <= 1024; ++id) tokens.push_back(acks.push(id, QoS::at_least_once));
  for (const AckToken& token : tokens) acks.acknowledge(token, ReasonCode::success, {});
  while (acks.pop()) {
  }
  EXPECT_LT(live_bytes - before, 8192u);
  const AckToken next = acks.push(7, QoS::at_least_once);
  acks.acknowledge(next, ReasonCode::success, {});
  EXPECT_EQ(acks.pop()->token, next);
}

TEST(AfterABurst, AFramerKeepsNoBufferOfALargePacket) {
  Framer framer;
  const std::string packet =
      test::encoded(PublishView{.topic = "t", .payload = as_bytes(std::string(60'000, 'x'))});
  const std::size_t before = live_bytes;
  Bytes start = as_bytes(packet).first(20'000), rest = as_bytes(packet).subspan(20'000);
  EXPECT_FALSE(framer.next(start)->has_value());
  EXPECT_TRUE(framer.next(rest)->has_value());
  framer.let_go();  // without asking for the next one, which may be long in coming
  EXPECT_LT(live_bytes - before, 8192u);
  EXPECT_FALSE(framer.next(rest)->has_value());
}

TEST(AfterABurst, AnOutputThatIsNeverEmptyDoesNotGrow) {
  ChunkPool pool;
  OutBuffer output{pool};
  const SharedBytes payload = SharedBytes::take(std::string(8192, 'x'));
  output.append_shared(payload);
  const auto pass = [&] {
    output.append_copy(as_bytes("head"));
    output.append_shared(payload);
    output.consume(4 + 8192);
  };
  for (int i = 0; i < 1000; ++i) pass();
  const std::size_t before = live_bytes;
  for (int i = 0; i < 100'000; ++i) pass();
  EXPECT_LE(live_bytes, before);
}

}  // namespace
}  // namespace mqtt
