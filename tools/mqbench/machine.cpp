#include "mqbench/machine.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>
#include <sstream>
#include <string_view>
#include <thread>

#include <mqtt/util/text.hpp>

namespace mq::bench {
namespace {

using std::filesystem::path;

std::string first_line(const path& file) {
  std::string line;
  std::ifstream stream{file};
  std::getline(stream, line);
  return line;
}

/// Each line that begins with `name`, without it.
void for_lines(const path& file, std::string_view name, const std::function<void(std::string_view)>& take) {
  std::ifstream stream{file};
  for (std::string line; std::getline(stream, line);) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    const std::string_view rest = std::string_view{line}.substr(begin);
    if (rest.starts_with(name)) take(rest.substr(name.size()));
  }
}

std::vector<std::uint64_t> numbers(std::string_view text) {
  std::istringstream stream{std::string{text}};
  return {std::istream_iterator<std::uint64_t>{stream}, {}};
}

/// What stands behind "NAME : " or "NAME:\t" in the first such line.
std::string value_behind(const path& file, std::string_view name) {
  std::string value;
  for_lines(file, name, [&value](std::string_view rest) {
    const std::size_t begin = rest.find_first_not_of(": \t");
    if (value.empty() && begin != rest.npos) value = rest.substr(begin);
  });
  return value;
}

/// Where the control group of this process has its processor time, in version 1 or 2; and its mount.
struct ControlGroup {
  path mount;
  path directory;
};

std::optional<ControlGroup> control_group(const path& root) {
  std::optional<ControlGroup> found;
  const path mounts = root / "sys/fs/cgroup";
  for_lines(root / "proc/self/cgroup", "", [&](std::string_view line) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos || found) return;
    const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    const auto below = path{line.substr(second + 1)}.relative_path();
    if (controllers.contains(",cpu,") && std::filesystem::exists(mounts / "cpu"))
      found = {.mount = mounts / "cpu", .directory = mounts / "cpu" / below};
    else if (controllers == ",," && std::filesystem::exists(mounts / "cgroup.controllers"))
      found = {.mount = mounts, .directory = mounts / below};
  });
  return found;
}

/// Version 2: "QUOTA PERIOD" or "max PERIOD" in cpu.max; version 1: two files, -1 is none.
std::optional<double> quota_in(const path& directory) {
  std::istringstream text{first_line(directory / "cpu.max") + " " +
                          first_line(directory / "cpu.cfs_quota_us") + " " +
                          first_line(directory / "cpu.cfs_period_us")};
  double quota = 0, period = 0;
  if (!(text >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

/// The least of the group and of those around it.
std::optional<double> cpu_quota(const path& root) {
  const auto group = control_group(root);
  std::optional<double> least;
  if (!group) return least;
  for (path directory = group->directory;; directory = directory.parent_path()) {
    if (const auto quota = quota_in(directory)) least = std::min(least.value_or(*quota), *quota);
    if (directory == group->mount || directory == directory.parent_path()) return least;
  }
}

void add_throttling(const path& root, SystemCounters& counters) {
  const auto group = control_group(root);
  if (!group) return;
  std::ifstream file{group->directory / "cpu.stat"};
  std::uint64_t value = 0;
  for (std::string name; file >> name >> value;) {
    const auto count = static_cast<mqtt::Duration::rep>(value);
    if (name == "nr_throttled") counters.throttled_periods = value;
    if (name == "throttled_usec") counters.throttled = std::chrono::microseconds{count};
    if (name == "throttled_time") counters.throttled = std::chrono::nanoseconds{count};
  }
}

/// Of what all processors have done, the eighth number is what was stolen; the two after it are in the first
/// two already (proc_stat(5)).
void add_stolen(const path& root, SystemCounters& counters) {
  constexpr std::size_t stolen = 7;
  for_lines(root / "proc/stat", "cpu ", [&](std::string_view rest) {
    std::vector<std::uint64_t> ticks = numbers(rest);
    ticks.resize(stolen + 1);
    counters.stolen_ticks = ticks[stolen];
    counters.ticks = std::reduce(ticks.begin(), ticks.end());
  });
}

}  // namespace

std::string allowed_processors(const std::string& root, std::string_view process) {
  return value_behind(path{root} / "proc" / process / "status", "Cpus_allowed_list");
}

Machine this_machine(const std::string& root) {
  utsname names{};
  uname(&names);
  const path cpus = path{root} / "sys/devices/system/cpu";
  const std::string siblings = first_line(cpus / "smt/active");
  return {.host = names.nodename,
          .kernel = fmt::format("{} {}", names.sysname, names.release),
          .cpu = value_behind(path{root} / "proc/cpuinfo", "model name"),
          .processors = std::max(1U, std::thread::hardware_concurrency()),
          .allowed_processors = allowed_processors(root, "self"),
          .clock_source =
              first_line(path{root} / "sys/devices/system/clocksource/clocksource0/current_clocksource"),
          .governor = first_line(cpus / "cpu0/cpufreq/scaling_governor"),
          .sibling_threads = siblings.empty() ? std::nullopt : std::optional{siblings == "1"},
          .cpu_quota = cpu_quota(root)};
}

SystemCounters read_system(const std::string& root) {
  SystemCounters counters;
  add_throttling(root, counters);
  add_stolen(root, counters);
  for_lines(path{root} / "proc/softirqs",
            "NET_RX:", [&counters](std::string_view rest) { counters.receptions = numbers(rest); });
  return counters;
}

SystemActivity between(const SystemCounters& begin, const SystemCounters& end) {
  // A counter that went back was begun anew, by a move to another group for instance.
  const auto grown = [](std::uint64_t from, std::uint64_t to) { return to > from ? to - from : 0; };
  SystemActivity activity{.throttled_periods = grown(begin.throttled_periods, end.throttled_periods),
                          .throttled = std::max(end.throttled - begin.throttled, mqtt::Duration::zero()),
                          .busiest_reception = {}};
  if (const auto ticks = grown(begin.ticks, end.ticks); ticks > 0)
    activity.stolen =
        static_cast<double>(grown(begin.stolen_ticks, end.stolen_ticks)) / static_cast<double>(ticks);
  std::uint64_t most = 0, sum = 0;
  for (std::size_t n = 0; n < std::min(begin.receptions.size(), end.receptions.size()); ++n) {
    const std::uint64_t taken = grown(begin.receptions[n], end.receptions[n]);
    most = std::max(most, taken);
    sum += taken;
  }
  if (sum > 0) activity.busiest_reception = static_cast<double>(most) / static_cast<double>(sum);
  return activity;
}

}  // namespace mq::bench
