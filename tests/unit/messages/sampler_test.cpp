#include "messages/sampler.hpp"

#include <gtest/gtest.h>

namespace mq {
namespace {

int drawn(double probability, int count) {
  Sampler sampler{probability, 7};
  int hits = 0;
  for (int i = 0; i < count; ++i) hits += sampler.draw();
  return hits;
}

TEST(Sampler, AllIsAllAndNoneIsNone) {
  EXPECT_EQ(drawn(1, 100'000), 100'000);
  EXPECT_EQ(drawn(0, 100'000), 0);
}

TEST(Sampler, Trap21_AShareIsThatShare) {
  for (const double share : {0.001, 0.1, 0.5, 0.999}) {
    const double expected = share * 100'000, deviation = std::sqrt(expected * (1 - share));
    EXPECT_NEAR(drawn(share, 100'000), expected, 6 * deviation) << share;
  }
}

}  // namespace
}  // namespace mq
