#include "mqbench/machine.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/temp_directory.hpp"

namespace {

using namespace std::chrono_literals;
using mq::bench::between;
using mq::bench::read_system;
using mq::bench::SystemCounters;
using mq::bench::this_machine;

using FakeRoot = mqtt::test::TempDirectory;  ///< the files of a kernel, below a directory of its own

TEST(Machine, IsDescribedAsFarAsItsFilesSay) {
  const FakeRoot root;
  root.write("proc/cpuinfo",
             "processor\t: 0\nmodel name\t: Some CPU @ 3.00GHz\nprocessor\t: 1\nmodel name\t: Other\n");
  root.write("proc/self/status", "Name:\tx\nCpus_allowed:\tf\nCpus_allowed_list:\t0-2\n");
  root.write("sys/devices/system/cpu/smt/active", "1\n");
  root.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  const auto machine = this_machine(root.path());
  EXPECT_EQ(machine.cpu, "Some CPU @ 3.00GHz");
  EXPECT_EQ(machine.allowed_processors, "0-2");
  EXPECT_EQ(machine.sibling_threads, true);
  EXPECT_EQ(machine.governor, "powersave");
  EXPECT_EQ(machine.clock_source, "");
  EXPECT_FALSE(machine.cpu_quota);
}

TEST(Machine, NothingIsKnownWithoutFiles) {
  const FakeRoot root;
  const auto machine = this_machine(root.path());
  EXPECT_TRUE(machine.cpu.empty() && machine.allowed_processors.empty() && machine.governor.empty());
  EXPECT_FALSE(machine.sibling_threads || machine.cpu_quota);
  const auto counters = read_system(root.path());
  EXPECT_EQ(counters.ticks, 0U);
}

TEST(Machine, TheSmallestQuotaOfTheGroupsAroundUsCounts) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "0::/a/b/c\n");
  root.write("sys/fs/cgroup/cgroup.controllers", "cpu\n");
  root.write("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  root.write("sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
  root.write("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  EXPECT_EQ(this_machine(root.path()).cpu_quota, 1.5);
}

TEST(Machine, TheFirstVersionOfControlGroupsIsReadToo) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "4:memory:/m\n2:cpu,cpuacct:/x\n0::/\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  root.write("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "50000\n");
  root.write("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
  root.write("sys/fs/cgroup/cpu/x/cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 2500000000\n");
  EXPECT_EQ(this_machine(root.path()).cpu_quota, 0.5);
  const auto counters = read_system(root.path());
  EXPECT_EQ(counters.throttled_periods, 4U);
  EXPECT_EQ(counters.throttled, 2500ms);
}

TEST(SystemCounters, AreReadFromTheirFiles) {
  const FakeRoot root;
  root.write("proc/stat", "cpu  100 1 50 800 5 2 3 40 9 9\ncpu0 1 2 3 4 5 6 7 8\n");
  root.write("proc/softirqs", "      CPU0 CPU1\n TIMER: 5 6\nNET_RX: 30 70\n");
  root.write("proc/self/cgroup", "0::/\n");
  root.write("sys/fs/cgroup/cgroup.controllers", "cpu\n");
  root.write("sys/fs/cgroup/cpu.stat", "usage_usec 9\nnr_throttled 3\nthrottled_usec 1500000\n");
  const auto counters = read_system(root.path());
  EXPECT_EQ(counters.stolen_ticks, 40U);
  EXPECT_EQ(counters.ticks, 1001U);
  EXPECT_EQ(counters.receptions, (std::vector<std::uint64_t>{30, 70}));
  EXPECT_EQ(counters.throttled_periods, 3U);
  EXPECT_EQ(counters.throttled, 1500ms);
}

TEST(SystemCounters, OurOwnMachineHasThem) {
  const auto counters = read_system();
  EXPECT_GT(counters.ticks, 0U);
  EXPECT_FALSE(this_machine().allowed_processors.empty());
}

TEST(SystemActivity, IsWhatWasCountedInBetween) {
  const SystemCounters begin{.stolen_ticks = 5, .ticks = 1000, .receptions = {10, 10}};
  const SystemCounters end{.throttled = 3s, .stolen_ticks = 15, .ticks = 1100, .receptions = {40, 20}};
  const auto activity = between(begin, end);
  EXPECT_EQ(activity.throttled, 3s);
  EXPECT_EQ(activity.stolen, 0.1);
  EXPECT_EQ(activity.busiest_reception, 0.75);
}

TEST(SystemActivity, ACounterThatBeganAnewIsNoHugeNumber) {
  const auto activity = between({.throttled_periods = 9, .throttled = 5s, .receptions = {1}},
                                {.throttled_periods = 2, .throttled = 1s, .receptions = {}});
  EXPECT_EQ(activity.throttled_periods, 0U);
  EXPECT_EQ(activity.throttled, 0s);
  EXPECT_FALSE(activity.busiest_reception);
}

}  // namespace
