#include <gtest/gtest.h>

#include <mqtt/net/coalescing.hpp>

namespace mqtt::net::test {
namespace {

using namespace std::chrono_literals;

constexpr Duration rest = 300us;
constexpr std::size_t message_bytes = 25;

/// A loop's turns on a clock of its own.
class Turns {
 public:
  explicit Turns(Duration wanted = rest) { coalescing_.set_rest(wanted); }

  /// A turn that came after a wait of `wait` and read `bytes`: the rest that follows it.
  Duration turn(Duration wait, std::size_t bytes = message_bytes) {
    if (bytes > 0) coalescing_.note_read(bytes);
    now_ += wait;
    const Duration rests = coalescing_.after_turn(now_);
    now_ += rests;
    coalescing_.waits_from(now_);
    return rests;
  }

  /// The last of the turns that come at once until the rests begin.
  Duration get_busy() {
    Duration rests{};
    turn(1h);
    for (unsigned i = 0; i < Coalescing::busy_turns_min; ++i) rests = turn(10us);
    return rests;
  }

  Coalescing& coalescing() { return coalescing_; }

 private:
  Coalescing coalescing_;
  TimePoint now_{};
};

TEST(Coalescing, IsOffUntilItIsSet) {
  Coalescing coalescing;
  EXPECT_FALSE(coalescing.enabled());
  coalescing.set_rest(rest);
  EXPECT_TRUE(coalescing.enabled());
  coalescing.set_rest(0us);
  EXPECT_FALSE(coalescing.enabled());
}

TEST(Coalescing, RestsOnlyWhenManyTurnsCameAtOnce) {
  Turns turns;
  turns.turn(1h);
  for (unsigned i = 1; i < Coalescing::busy_turns_min; ++i) EXPECT_EQ(turns.turn(10us), 0us) << i;
  EXPECT_EQ(turns.turn(10us), rest);
  EXPECT_EQ(turns.turn(0us), rest);
}

TEST(Coalescing, NeverRestsWhileMessagesAreRare) {
  Turns turns;
  for (unsigned i = 0; i < 10 * Coalescing::busy_turns_min; ++i)
    EXPECT_EQ(turns.turn(Coalescing::rare_wait + 1us), 0us) << i;
}

TEST(Coalescing, OneLongWaitEndsTheRests) {
  Turns turns;
  ASSERT_EQ(turns.get_busy(), rest);
  EXPECT_EQ(turns.turn(Coalescing::rare_wait + 1us), 0us);
  EXPECT_EQ(turns.turn(10us), 0us);
}

TEST(Coalescing, ReadingMuchOrNothingEndsTheRests) {
  for (const std::size_t bytes : {std::size_t{0}, Coalescing::small_turn_bytes}) {
    Turns turns;
    ASSERT_EQ(turns.get_busy(), rest);
    EXPECT_EQ(turns.turn(10us, bytes), 0us) << bytes;
  }
}

TEST(Coalescing, AllReadsOfATurnCount) {
  Turns turns;
  ASSERT_EQ(turns.get_busy(), rest);
  turns.coalescing().note_read(Coalescing::small_turn_bytes - 1);
  EXPECT_EQ(turns.turn(10us, 1), 0us);
}

TEST(Coalescing, TheRestIsBounded) {
  EXPECT_EQ(Turns{1h}.get_busy(), Coalescing::rest_max);
  EXPECT_EQ(Turns{-1ms}.get_busy(), 0us);
}

}  // namespace
}  // namespace mqtt::net::test
