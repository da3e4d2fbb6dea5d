#include "mqbench/process_usage.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

namespace mq::bench {
namespace {

/// Counting more, on a kernel that does not tell their number, would take the run's own time.
constexpr std::uint64_t counted_max = 50'000;

/// Since Linux 6.2 the size of the directory is what it has entries.
std::optional<std::uint64_t> count_descriptors(const std::string& directory) {
  struct stat status{};
  if (::stat(directory.c_str(), &status) == 0 && status.st_size > 0)
    return static_cast<std::uint64_t>(status.st_size);
  DIR* const open = ::opendir(directory.c_str());
  if (!open) return std::nullopt;
  std::uint64_t count = 0;
  for (const dirent* entry = ::readdir(open); entry && count <= counted_max; entry = ::readdir(open))
    count += entry->d_name[0] != '.';
  ::closedir(open);
  return count <= counted_max ? std::optional{count} : std::nullopt;
}

mqtt::Duration ticks(std::uint64_t count) {
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return mqtt::Duration{static_cast<mqtt::Duration::rep>(count * (1'000'000'000 / per_second))};
}

/// Fields 3 and up of proc_pid_stat(5), which follow the name in parentheses: it may have both spaces and
/// parentheses.
std::vector<std::string> read_stat(const std::string& path) {
  std::ifstream file{path};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest{text.substr(end + 1)};
  return {std::istream_iterator<std::string>{rest}, {}};
}

}  // namespace

mqtt::Result<ProcessSample> sample_process(pid_t pid) {
  const std::string directory = fmt::format("/proc/{}", pid);
  errno = 0;
  const std::vector<std::string> fields = read_stat(directory + "/stat");
  constexpr std::size_t first = 3, state = 3, user = 14, system = 15, start = 22, pages = 24;
  if (fields.size() <= pages - first)
    return std::unexpected(
        mqtt::system_error(errno == 0 || errno == ENOENT ? ESRCH : errno, fmt::format("process {}", pid)));
  const auto number = [&](std::size_t field) {
    return std::strtoull(fields[field - first].c_str(), nullptr, 10);
  };
  if (const std::string& letter = fields[state - first]; letter == "Z" || letter == "X")
    return mqtt::fail(mqtt::ErrorDomain::system, ESRCH, fmt::format("process {}: it has ended", pid));
  return ProcessSample{.cpu = ticks(number(user) + number(system)),
                       .rss_bytes = number(pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)),
                       .descriptors = count_descriptors(directory + "/fd"),
                       .began = number(start)};
}

mqtt::Duration own_cpu() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

WatchedProcesses::WatchedProcesses(std::vector<pid_t> pids) {
  for (const pid_t pid : pids) watched_.push_back({.pid = pid, .began = {}});
}

std::optional<ProcessSample> WatchedProcesses::sample() {
  if (failed_ || watched_.empty()) return std::nullopt;
  ProcessSample sum{.descriptors = 0};
  for (Watched& each : watched_)
    if (!add(each, sum)) return std::nullopt;
  return sum;
}

bool WatchedProcesses::add(Watched& watched, ProcessSample& sum) {
  auto sample = sample_process(watched.pid);
  if (sample && watched.began.value_or(sample->began) != sample->began)
    sample = mqtt::fail(mqtt::ErrorDomain::system, ESRCH,
                        fmt::format("process {}: it has ended, and another one has its number", watched.pid));
  if (!sample) {
    failed_ = true;
    fault_ = std::move(sample.error().context);
    return false;
  }
  watched.began = sample->began;
  sum.cpu += sample->cpu;
  sum.rss_bytes += sample->rss_bytes;
  if (sum.descriptors && sample->descriptors)
    *sum.descriptors += *sample->descriptors;
  else
    sum.descriptors.reset();
  return true;
}

std::optional<std::string> WatchedProcesses::take_fault() { return std::exchange(fault_, std::nullopt); }

}  // namespace mq::bench
