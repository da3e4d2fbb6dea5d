#include <mqtt/net/workers.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

TEST(Workers, WorkBesideTheLoopAndTellInIt) {
  Loop loop;
  Workers workers{loop, 2};
  const std::thread::id here = std::this_thread::get_id();
  int done = 0;
  for (int i = 0; i < 20; ++i)
    workers.run([&done, here] {
      const bool elsewhere = std::this_thread::get_id() != here;
      return [&done, here, elsewhere] {
        EXPECT_TRUE(elsewhere);
        EXPECT_EQ(std::this_thread::get_id(), here);
        ++done;
      };
    });
  EXPECT_TRUE(run_until(loop, [&] { return done == 20; }));
  EXPECT_TRUE(workers.has_room());
}

TEST(Workers, HaveRoomForAsManyAsThereAreThreads) {
  Loop loop;
  Workers workers{loop, 2};
  std::promise<void> gate;
  const std::shared_future<void> open = gate.get_future().share();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(workers.has_room());
    workers.run([open] {
      open.wait();
      return [] {};
    });
  }
  EXPECT_FALSE(workers.has_room());
  gate.set_value();
  EXPECT_TRUE(run_until(loop, [&] { return workers.has_room(); }));
}

TEST(Workers, EndWithWhatHasBegunAndTellNothingMore) {
  Loop loop;
  std::atomic<int> begun = 0, ended = 0;
  bool told = false;
  {
    Workers workers{loop, 1};
    std::promise<void> first;
    for (int i = 0; i < 3; ++i)
      workers.run([&, i] {
        ++begun;
        if (i == 0) first.set_value();
        ++ended;
        return [&told] { told = true; };
      });
    first.get_future().wait();
  }
  EXPECT_EQ(begun, ended);
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace mqtt::net::test
