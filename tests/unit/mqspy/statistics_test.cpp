#include "mqspy/statistics.hpp"

#include <gtest/gtest.h>

namespace mq::spy {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

TEST(LatencyCounts, PercentilesAreWithinThreePerCent) {
  LatencyCounts counts;
  for (int n = 1; n <= 1000; ++n) counts.add(microseconds{n});
  EXPECT_EQ(counts.count(), 1000u);
  EXPECT_EQ(counts.max(), microseconds{1000});
  for (const unsigned per_mille : {1u, 10u, 500u, 990u, 999u}) {
    const auto exact = static_cast<double>(per_mille) * 1000;
    EXPECT_NEAR(static_cast<double>(counts.percentile(per_mille).count()), exact, exact * 0.032) << per_mille;
  }
  EXPECT_EQ(counts.percentile(1000), microseconds{1000});
}

TEST(LatencyCounts, EveryLatencyHasAClass) {
  for (int power = 0; power < 63; ++power) {
    LatencyCounts counts;
    const nanoseconds value{std::int64_t{1} << power};
    counts.add(value);
    EXPECT_EQ(counts.percentile(500), value);
  }
  LatencyCounts counts;
  counts.add(nanoseconds{-5});  // a capture may go back in time
  EXPECT_EQ(counts.count(), 1u);
}

}  // namespace
}  // namespace mq::spy
