#include "mqbench/load_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace mq::bench {
namespace {

using Broker = std::function<Attempt(double)>;

struct Searched {
  LoadSearch search;
  std::vector<double> loads;
};

Searched search(const SearchLimits& limits, const Broker& broker) {
  Searched done{LoadSearch{limits}, {}};
  while (const auto load = done.search.next()) {
    done.loads.push_back(*load);
    EXPECT_LE(done.loads.size(), limits.steps_max);
    if (done.loads.size() > limits.steps_max) break;
    done.search.note(broker(*load));
  }
  return done;
}

Broker limited_to(double capacity) {
  return [capacity](double load) { return load <= capacity ? Attempt::good : Attempt::bad; };
}

TEST(LoadSearch, DoublesThenCutsInHalf) {
  const auto done = search({.first = 100, .precision = 0.5, .repeats = 0}, limited_to(700));
  EXPECT_EQ(done.loads.size(), 5U);
  EXPECT_EQ((std::vector<double>{done.loads.begin(), done.loads.begin() + 4}),
            (std::vector<double>{100, 200, 400, 800}));
  EXPECT_NEAR(done.loads[4], std::sqrt(400. * 800.), 1e-9);
  EXPECT_EQ(done.search.ended(), SearchEnd::precise);
}

TEST(LoadSearch, FindsEveryCapacityToThePrecision) {
  for (double capacity = 2; capacity < 5e7; capacity *= 1.7) {
    const auto done = search({.first = 1000, .precision = 0.02, .steps_max = 60}, limited_to(capacity));
    ASSERT_EQ(done.search.ended(), SearchEnd::precise) << capacity;
    EXPECT_LE(*done.search.best(), capacity);
    EXPECT_GT(*done.search.bad(), capacity);
    EXPECT_GE(*done.search.best(), capacity / 1.02);
  }
}

TEST(LoadSearch, HalvesWhenTheFirstLoadIsTooMuch) {
  const auto done = search({.first = 1000, .repeats = 0}, limited_to(300));
  EXPECT_EQ((std::vector<double>{done.loads.begin(), done.loads.begin() + 3}),
            (std::vector<double>{1000, 500, 250}));
  EXPECT_EQ(done.search.ended(), SearchEnd::precise);
}

TEST(LoadSearch, WholeNumbersEndAtNeighbours) {
  const auto done = search({.first = 1, .precision = 1e-9, .whole = true}, limited_to(11));
  EXPECT_EQ(done.search.best(), 11);
  EXPECT_EQ(done.search.bad(), 12);
  for (const double load : done.loads) EXPECT_EQ(load, std::floor(load));
  const auto few =
      search({.first = 1, .highest = 3, .precision = 1e-9, .repeats = 0, .whole = true}, limited_to(2));
  EXPECT_EQ(few.search.best(), 2);
  const auto one = search({.first = 3, .precision = 1e-9, .repeats = 0, .whole = true}, limited_to(1));
  EXPECT_EQ(one.search.best(), 1);
}

TEST(LoadSearch, NeverLeavesItsBounds) {
  const SearchLimits limits{.first = 100, .lowest = 30, .highest = 500};
  const auto all_good = search(limits, limited_to(1e9));
  EXPECT_EQ(all_good.search.ended(), SearchEnd::highest);
  EXPECT_EQ(all_good.search.best(), 500);
  const auto all_bad = search(limits, limited_to(0));
  EXPECT_EQ(all_bad.search.ended(), SearchEnd::lowest);
  EXPECT_FALSE(all_bad.search.best());
  EXPECT_EQ(all_bad.search.bad(), 30);
}

TEST(LoadSearch, EndsWithTheToolsLimitAndWhatWasGoodBefore) {
  const auto done =
      search({.first = 100}, [](double load) { return load < 500 ? Attempt::good : Attempt::tool_bound; });
  EXPECT_EQ(done.search.ended(), SearchEnd::tool_bound);
  EXPECT_EQ(done.search.best(), 400);
  EXPECT_FALSE(done.search.bad());
}

TEST(LoadSearch, EndsWithTheNetworksLimitAsWithTheTools) {
  const auto done =
      search({.first = 100}, [](double load) { return load < 500 ? Attempt::good : Attempt::network_bound; });
  EXPECT_EQ(done.search.ended(), SearchEnd::network_bound);
  EXPECT_EQ(done.search.best(), 400);
}

TEST(LoadSearch, OneBadMomentIsNoLimit) {
  int calls = 0;
  const auto done = search({.first = 100}, [&](double load) {
    ++calls;
    return calls == 2 ? Attempt::bad : limited_to(1000)(load);
  });
  EXPECT_EQ(done.loads[1], done.loads[2]);
  EXPECT_EQ(done.search.ended(), SearchEnd::precise);
  EXPECT_GE(*done.search.best(), 1000 / 1.05);
}

TEST(LoadSearch, ABusyToolIsNoTryOfALoad) {
  std::vector<Attempt> tries{Attempt::good, Attempt::bad, Attempt::tool_bound, Attempt::tool_bound};
  std::size_t next = 0;
  const auto done = search({.first = 100, .highest = 200, .repeats = 2},
                           [&](double) { return next < tries.size() ? tries[next++] : Attempt::good; });
  EXPECT_EQ(done.loads, (std::vector<double>{100, 200, 200, 200, 200}));
  EXPECT_EQ(done.search.best(), 200);
}

TEST(LoadSearch, SurvivesNoise) {
  int near = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random{seed};
    std::bernoulli_distribution hiccup{0.05};
    const auto done = search({.first = 100, .steps_max = 40}, [&](double load) {
      return hiccup(random) ? Attempt::bad : limited_to(7000)(load);
    });
    ASSERT_TRUE(done.search.best()) << seed;
    EXPECT_LE(*done.search.best(), 7000);
    near += *done.search.best() > 6000;
  }
  EXPECT_GE(near, 180);  // two hiccups at one load: 0.25 % of each of about ten
}

TEST(LoadSearch, AnswersThatContradictEachOtherEndItWithALoadThatWasGood) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random{seed};
    std::bernoulli_distribution coin{0.5};
    std::vector<double> good;
    const auto done = search({.first = 100, .steps_max = 30}, [&](double load) {
      const bool fine = coin(random);
      if (fine) good.push_back(load);
      return fine ? Attempt::good : Attempt::bad;
    });
    ASSERT_TRUE(done.search.ended());
    const double best = done.search.best().value_or(0);
    EXPECT_TRUE(best == 0 || std::ranges::find(good, best) != good.end());
    EXPECT_LT(best, done.search.bad().value_or(best + 1));
  }
}

TEST(LoadSearch, OfTwoGoodPartsTheFirstOneEnds) {
  const auto done = search({.first = 100}, [](double load) {
    return load < 700 || (load > 2000 && load < 4000) ? Attempt::good : Attempt::bad;
  });
  EXPECT_EQ(done.search.ended(), SearchEnd::precise);
  EXPECT_LT(*done.search.best(), 700);
  EXPECT_GT(*done.search.best(), 660);
}

TEST(LoadSearch, TakesNoMoreStepsThanItMay) {
  const auto between = search({.first = 100, .precision = 1e-6, .steps_max = 7}, limited_to(777));
  EXPECT_EQ(between.search.ended(), SearchEnd::steps);
  EXPECT_EQ(between.loads.size(), 7U);
  EXPECT_LE(*between.search.best(), 777);
  // In the middle of a repetition, too.
  const auto repeating = search({.first = 100, .steps_max = 1}, limited_to(1));
  EXPECT_EQ(repeating.search.ended(), SearchEnd::steps);
  EXPECT_FALSE(repeating.search.bad());
}

TEST(FindKnee, IsWhereLatencyBeginsToRise) {
  std::vector<CurvePoint> queue;  // 1 / (1 - utilisation): one server
  for (const double load : {0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99})
    queue.push_back({load, 1 / (1 - load)});
  EXPECT_EQ(find_knee(queue), 5U);
}

TEST(FindKnee, NeedsAKneeToFindOne) {
  const std::vector<CurvePoint> straight{{1, 1}, {2, 2}, {3, 3}};
  const std::vector<CurvePoint> two{{1, 1}, {2, 9}};
  const std::vector<CurvePoint> falling{{1, 3}, {2, 2}, {3, 1}};
  const std::vector<CurvePoint> above{{1, 1}, {2, 5}, {3, 6}};
  for (const auto& curve : {straight, two, falling, above, {}}) EXPECT_FALSE(find_knee(curve));
}

}  // namespace
}  // namespace mq::bench
