#include "mqbench/process_usage.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mqbench/usage_meter.hpp"

namespace {

using namespace std::chrono_literals;
using mq::bench::sample_process;
using mq::bench::UsageMeter;
using mq::bench::WatchedProcesses;

/// A process that waits until it is killed.
class Child {
 public:
  Child() : pid_{fork()} {
    while (pid_ == 0) pause();
  }
  ~Child() { reap(); }
  void kill() { ::kill(pid_, SIGKILL); }
  /// Waits until it is dead; its number is not free before reap().
  void wait_for_death() {
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  void reap() {
    if (pid_ < 0) return;
    kill();
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST(SampleProcess, OurselvesAsWeAre) {
  const auto before = sample_process(getpid());
  ASSERT_TRUE(before);
  EXPECT_GT(before->rss_bytes, 100'000U);
  ASSERT_TRUE(before->descriptors);
  const int fd = dup(0);
  EXPECT_EQ(*sample_process(getpid())->descriptors, *before->descriptors + 1);
  close(fd);
  const auto goal = mq::bench::own_cpu() + 50ms;
  while (mq::bench::own_cpu() < goal) {
  }
  EXPECT_GE(sample_process(getpid())->cpu - before->cpu, 30ms);  // the clock has steps of 10 ms
}

TEST(WatchedProcesses, AreAddedUpUntilOneEnds) {
  Child one, other;
  WatchedProcesses watched{{one.pid(), other.pid()}};
  const auto both = watched.sample();
  ASSERT_TRUE(both);
  EXPECT_GE(both->rss_bytes, sample_process(one.pid())->rss_bytes);
  EXPECT_EQ(*both->descriptors,
            *sample_process(one.pid())->descriptors + *sample_process(other.pid())->descriptors);
  EXPECT_FALSE(watched.take_fault());
  const pid_t pid = one.pid();
  one.kill();
  one.wait_for_death();
  EXPECT_FALSE(watched.sample());
  EXPECT_EQ(watched.take_fault(), "process " + std::to_string(pid) + ": it has ended");
  EXPECT_FALSE(watched.sample() || watched.take_fault());
}

TEST(WatchedProcesses, OneThatIsNotThereIsSaid) {
  Child child;
  const pid_t pid = child.pid();
  child.reap();
  WatchedProcesses watched{{pid}};
  EXPECT_FALSE(watched.sample());
  EXPECT_EQ(watched.take_fault(), "process " + std::to_string(pid) + ": No such process");
}

TEST(UsageMeter, MeasuresFromOneLookToTheNext) {
  UsageMeter meter{{getpid()}};
  EXPECT_EQ(meter.look(mqtt::TimePoint{1s}).tool_cpu, 0);
  const auto goal = mq::bench::own_cpu() + 100ms;
  while (mq::bench::own_cpu() < goal) {
  }
  const auto usage = meter.look(mqtt::TimePoint{3s});  // by the clock of the test
  EXPECT_GE(usage.tool_cpu, 0.05);
  EXPECT_GE(usage.broker_cpu.value_or(0), 0.035);
  EXPECT_FALSE(meter.take_fault());
}

}  // namespace
