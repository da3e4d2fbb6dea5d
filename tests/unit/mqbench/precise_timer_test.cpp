#include "mqbench/precise_timer.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using mq::bench::PreciseTimer;
using mqtt::net::Loop;

struct TimerFixture {
  Loop loop;
  int shots = 0;
  std::function<void()> on_shot = [] {};
  std::unique_ptr<PreciseTimer> timer = *PreciseTimer::open(loop, [this] { ++shots, on_shot(); });

  void run_for(mqtt::Duration time) {
    mqtt::net::Timer end{loop, [this] { loop.stop(); }};
    end.set(loop.refresh_now() + time);
    loop.run();
  }
};

TEST(PreciseTimer, IsNeverEarly) {
  TimerFixture f;
  const auto when = f.loop.refresh_now() + 3'200us;
  mqtt::TimePoint shot{};
  f.on_shot = [&] { shot = f.loop.refresh_now(), f.loop.stop(); };
  f.timer->set(when);
  f.loop.run();
  EXPECT_GE(shot, when);
}

TEST(PreciseTimer, ATimeThatHasPassedComesAtOnceAndOnce) {
  TimerFixture f;
  f.timer->set(mqtt::TimePoint{});
  f.run_for(20ms);
  EXPECT_EQ(f.shots, 1);
}

TEST(PreciseTimer, SetInItsCallbackItComesAgain) {
  TimerFixture f;
  f.on_shot = [&] {
    if (f.shots < 5) return f.timer->set(f.loop.refresh_now() + 100us);
    f.loop.stop();
  };
  f.timer->set(f.loop.refresh_now());
  f.loop.run();
  EXPECT_EQ(f.shots, 5);
}

TEST(PreciseTimer, SetToNeverItIsSilent) {
  TimerFixture f;
  f.timer->set(f.loop.refresh_now() + 1ms);
  f.timer->set(std::nullopt);
  f.run_for(20ms);
  EXPECT_EQ(f.shots, 0);
}

}  // namespace
