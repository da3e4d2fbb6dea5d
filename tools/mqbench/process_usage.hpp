#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/util/error.hpp>
#include <mqtt/util/time.hpp>

namespace mq::bench {

/// What procfs tells of a process: of all its threads, not of its children.
struct ProcessSample {
  mqtt::Duration cpu{};  ///< since it began; in steps of a clock tick, 10 ms
  std::uint64_t rss_bytes = 0;
  std::optional<std::uint64_t> descriptors;  ///< not for everybody to see
  std::uint64_t began = 0;  ///< ticks since boot: tells a process from a later one of its number
};

/// Of domain system: there is no such process, or its files are not readable.
[[nodiscard]] mqtt::Result<ProcessSample> sample_process(pid_t pid);

/// Of this process, since it began.
[[nodiscard]] mqtt::Duration own_cpu();

/// The processes of a broker, sampled together.
class WatchedProcesses {
 public:
  explicit WatchedProcesses(std::vector<pid_t> pids);

  /// Their sum; nothing as soon as one of them cannot be read or has ended, and ever after.
  [[nodiscard]] std::optional<ProcessSample> sample();
  /// Why there is nothing any more; once.
  [[nodiscard]] std::optional<std::string> take_fault();

 private:
  struct Watched {
    pid_t pid;
    std::optional<std::uint64_t> began;
  };

  [[nodiscard]] bool add(Watched& watched, ProcessSample& sum);

  std::vector<Watched> watched_;
  std::optional<std::string> fault_;
  bool failed_ = false;
};

}  // namespace mq::bench
