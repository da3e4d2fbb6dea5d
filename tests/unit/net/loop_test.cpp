#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

using testing::ElementsAre;

TimePoint clock_now() { return std::chrono::steady_clock::now(); }

TEST(Timer, IsNeverEarlyAndNotMuchTooLate) {
  Loop loop;
  for (const Duration delay : {Duration{1ns}, Duration{300us}, Duration{999us}, Duration{1001us},
                               Duration{1700us}, Duration{3499us}, Duration{7ms}}) {
    TimePoint fired{};
    Timer timer{loop, [&] { fired = clock_now(); }};
    const TimePoint when = clock_now() + delay;
    timer.set(when);
    loop.run();
    EXPECT_GE(fired, when) << delay.count();
    EXPECT_LT(fired, when + 30s) << delay.count();
  }
}

TEST(Timer, SetAgainToALaterTimeFiresOnceThen) {
  Loop loop;
  int fired = 0;
  TimePoint last{};
  Timer timer{loop, [&] { ++fired, last = clock_now(); }};
  const TimePoint late = clock_now() + 12ms;
  timer.set(clock_now() + 2ms);
  timer.set(late);
  loop.run();
  EXPECT_EQ(fired, 1);
  EXPECT_GE(last, late);
}

TEST(Timer, SetAgainToAnEarlierTimeFiresThen) {
  Loop loop;
  Timer timer{loop, [&] { loop.stop(); }};
  const TimePoint start = clock_now();
  timer.set(start + 1h);
  timer.set(start + 1ms);
  loop.run();
  EXPECT_LT(clock_now(), start + 1min);
}

TEST(Timer, TimeInThePastFiresInTheNextTurnNotInsideSet) {
  Loop loop;
  int fired = 0;
  Timer timer{loop, [&] { ++fired; }};
  timer.set(clock_now() - 1h);
  EXPECT_EQ(fired, 0);
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, CancelledDoesNotFireNorKeepTheLoop) {
  Loop loop;
  int fired = 0;
  Timer timer{loop, [&] { ++fired; }};
  timer.set(clock_now() + 1ms);
  timer.set(Deadline{});
  loop.run();
  EXPECT_EQ(fired, 0);
}

TEST(Timer, MayBeSetAgainAndDestroyedInItsOwnCallback) {
  Loop loop;
  int fired = 0;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&] {
    if (++fired < 3)
      timer->set(clock_now());
    else
      timer.reset();
  });
  timer->set(clock_now());
  loop.run();
  EXPECT_EQ(fired, 3);
  EXPECT_EQ(timer, nullptr);
}

TEST(Timer, ThousandsFireInOrderAndWhoIsCancelledByAnotherDoesNot) {
  Loop loop;
  std::vector<std::size_t> order;
  std::vector<std::unique_ptr<Timer>> timers;
  constexpr std::size_t count = 2000;
  const TimePoint now = clock_now();
  for (std::size_t n = 0; n < count; ++n)
    timers.push_back(std::make_unique<Timer>(loop, [&, n] {
      order.push_back(n);
      if (n + 1 < count && n % 3 == 0) timers[n + 1].reset();
      if (n + 2 < count && n % 3 == 0) timers[n + 2]->cancel();
    }));
  for (std::size_t n = count; n-- > 0;) timers[n]->set(now + std::chrono::microseconds{n});
  loop.run();
  ASSERT_EQ(order.size(), (count + 2) / 3);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], 3 * i);
}

TEST(Timer, SetByAnotherToATimeThatHasPassedComesBehindThoseThatAreDue) {
  Loop loop;
  std::vector<std::string> order;
  Timer late{loop, [&] { order.push_back("set meanwhile"); }};
  Timer second{loop, [&] { order.push_back("second"); }};
  Timer first{loop, [&] {
                order.push_back("first");
                late.set(clock_now() - 1h);
              }};
  const TimePoint now = clock_now();
  first.set(now - 2ms);
  second.set(now - 1ms);
  loop.run();
  EXPECT_THAT(order, ElementsAre("first", "second", "set meanwhile"));
}

TEST(TurnEnd, RunsOnceAfterTheTurnsOtherCallbacksInOrderOfRequest) {
  Loop loop;
  std::vector<std::string> order;
  TurnEnd first{loop, [&] { order.push_back("first"); }};
  TurnEnd second{loop, [&] { order.push_back("second"); }};
  Timer a{loop, [&] {
            order.push_back("a");
            second.request();
            first.request();
            second.request();
          }};
  Timer b{loop, [&] { order.push_back("b"); }};
  a.set(clock_now());
  b.set(clock_now());
  loop.run();
  EXPECT_THAT(order, ElementsAre("a", "b", "second", "first"));
}

TEST(TurnEnd, RequestedWithoutAnythingElseStillRuns) {
  Loop loop;
  int calls = 0;
  TurnEnd hook{loop, [&] { ++calls; }};
  hook.request();
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(TurnEnd, RequestedInTheTurnThatStopsTheLoopStillRuns) {
  Loop loop;
  int calls = 0;
  TurnEnd hook{loop, [&] { ++calls; }};
  Timer never{loop, [] {}};
  Timer timer{loop, [&] {
                loop.stop();
                hook.request();
              }};
  never.set(clock_now() + 1h);
  timer.set(clock_now());
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(TurnEnd, RequestedFromAHookRunsBeforeTheLoopWaits) {
  Loop loop;
  std::vector<int> order;
  TurnEnd later{loop, [&] { order.push_back(2); }};
  TurnEnd hook{loop, [&] {
                 order.push_back(1);
                 later.request();
               }};
  Timer far{loop, [] {}};
  far.set(clock_now() + 1h);
  hook.request();
  run_ready(loop);
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST(TurnEnd, RequestingItselfForeverDoesNotStarveOthers) {
  Loop loop;
  std::unique_ptr<TurnEnd> greedy;
  std::size_t calls = 0;
  greedy = std::make_unique<TurnEnd>(loop, [&] {
    ++calls;
    greedy->request();
  });
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&] {
    if (calls > 100) return loop.stop();
    timer->set(clock_now() + 5ms);
  });
  timer->set(clock_now() + 5ms);
  greedy->request();
  loop.run();
  EXPECT_GT(calls, 100u);
}

TEST(TurnEnd, CancelledOrDestroyedDoesNotRun) {
  Loop loop;
  int calls = 0;
  TurnEnd cancelled{loop, [&] { ++calls; }};
  auto destroyed = std::make_unique<TurnEnd>(loop, [&] { ++calls; });
  TurnEnd killer{loop, [&] { destroyed.reset(); }};
  cancelled.request();
  killer.request();
  destroyed->request();
  cancelled.cancel();
  loop.run();
  EXPECT_EQ(calls, 0);
}

TEST(TurnEnd, MayBeDestroyedInItsOwnCallback) {
  Loop loop;
  std::unique_ptr<TurnEnd> hook;
  const std::string kept(100, 'x');
  std::string seen;
  hook = std::make_unique<TurnEnd>(loop, [&, kept] {
    hook.reset();
    seen = kept;  // the closure is still there
  });
  hook->request();
  loop.run();
  EXPECT_EQ(seen, kept);
}

TEST(Loop, TimeStandsStillWithinATurn) {
  Loop loop;
  TimePoint first{}, second{};
  Timer timer{loop, [&] {
                first = loop.now();
                while (clock_now() < first + 200us) {
                }
                second = loop.now();
              }};
  timer.set(clock_now());
  loop.run();
  EXPECT_EQ(first, second);
  EXPECT_GT(loop.now(), first);
  EXPECT_GE(loop.refresh_now(), loop.now());
}

TEST(Loop, StopBeforeRunEndsItAtOnceAndOnlyOnce) {
  Loop loop;
  int fired = 0;
  Timer timer{loop, [&] { ++fired; }};
  timer.set(clock_now());
  loop.stop();
  loop.run();
  EXPECT_EQ(fired, 0);
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(SignalWatcher, HearsASignalAndDoesNotKeepTheLoop) {
  Loop loop;
  int heard = 0;
  std::unique_ptr<SignalWatcher> watcher;
  watcher = std::make_unique<SignalWatcher>(loop, SIGUSR1, [&] {
    ++heard;
    watcher.reset();
  });
  raise(SIGUSR1);
  ASSERT_TRUE(run_until(loop, [&] { return heard > 0; }));
  const SignalWatcher idle{loop, SIGUSR2, [] {}};
  loop.run();
  EXPECT_EQ(heard, 1);
}

class FdWatcherTest : public testing::Test {
 protected:
  FdWatcherTest() { EXPECT_EQ(pipe2(pipe_.data(), O_CLOEXEC), 0); }
  ~FdWatcherTest() override {
    for (const int fd : pipe_)
      if (fd >= 0) close(fd);
  }
  std::unique_ptr<FdWatcher> watch(int fd, FdEvents interest) {
    auto watcher = FdWatcher::open(loop_, fd, [this](FdEvents events) {
      events_.push_back(events);
      if (after_event_) after_event_();
    });
    EXPECT_TRUE(watcher.has_value());
    (*watcher)->watch(interest);
    return std::move(*watcher);
  }

  Loop loop_;
  std::array<int, 2> pipe_{-1, -1};
  std::vector<FdEvents> events_;
  std::function<void()> after_event_;
};

TEST_F(FdWatcherTest, TellsReadable) {
  const auto watcher = watch(pipe_[0], {.readable = true});
  run_ready(loop_);
  EXPECT_TRUE(events_.empty());
  ASSERT_EQ(write(pipe_[1], "x", 1), 1);
  ASSERT_TRUE(run_until(loop_, [&] { return !events_.empty(); }));
  EXPECT_TRUE(events_[0].readable);
}

TEST_F(FdWatcherTest, TellsTheEndOfAPipeAsReadableForItsReader) {
  const auto watcher = watch(pipe_[0], {.readable = true});
  close(std::exchange(pipe_[1], -1));
  ASSERT_TRUE(run_until(loop_, [&] { return !events_.empty(); }));
  EXPECT_TRUE(events_[0].readable || events_[0].hung_up);
}

TEST_F(FdWatcherTest, TellsAWriterThatItsReaderHasGone) {
  const auto watcher = watch(pipe_[1], {.hung_up = true});
  run_ready(loop_);
  EXPECT_TRUE(events_.empty());
  close(std::exchange(pipe_[0], -1));
  ASSERT_TRUE(run_until(loop_, [&] { return !events_.empty(); }));
  EXPECT_TRUE(events_[0].hung_up);
}

TEST_F(FdWatcherTest, TellsWritableAndStopsWhenNothingIsWatched) {
  const auto watcher = watch(pipe_[1], {.writable = true});
  after_event_ = [&] { watcher->watch({}); };
  loop_.run();  // ends because nothing is left to wait for
  ASSERT_EQ(events_.size(), 1u);
  EXPECT_TRUE(events_[0].writable);
}

TEST_F(FdWatcherTest, LeavesTheDescriptorsFlagsAlone) {
  const int before = fcntl(pipe_[0], F_GETFL);
  const auto watcher = watch(pipe_[0], {.readable = true});
  run_ready(loop_);
  EXPECT_EQ(fcntl(pipe_[0], F_GETFL), before);
}

TEST_F(FdWatcherTest, MayBeDestroyedInItsOwnCallback) {
  auto watcher = watch(pipe_[1], {.writable = true});
  after_event_ = [&] { watcher.reset(); };
  loop_.run();
  EXPECT_EQ(events_.size(), 1u);
}

TEST_F(FdWatcherTest, RefusesARegularFile) {
  const TempDirectory directory;
  const int fd = open(directory.write("file", "x").c_str(), O_RDONLY | O_CLOEXEC);
  const auto watcher = FdWatcher::open(loop_, fd, [](FdEvents) {});
  close(fd);
  ASSERT_FALSE(watcher.has_value());
  EXPECT_EQ(watcher.error().domain, ErrorDomain::system);
  EXPECT_EQ(watcher.error().code, EPERM);
}

}  // namespace
}  // namespace mqtt::net::test
