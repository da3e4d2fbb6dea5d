#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/descriptor.hpp"

namespace mq {

/// Lines on a descriptor whose reader may have stopped: a line that cannot be written at once is lost, and
/// counted. Never waits, holds one line at most, and breaks none.
class LogOutput {
 public:
  /// `notice` makes the line that is written once there is room again: so many were lost.
  LogOutput(int fd, std::function<std::string(std::uint64_t)> notice);

  void write(std::string_view line);

 private:
  [[nodiscard]] bool finish_line();
  void begin_line(std::string_view line);

  NonBlockingFd fd_;
  std::function<std::string(std::uint64_t)> notice_;
  std::string rest_;  // of the line that is partly written
  std::uint64_t lost_ = 0;
};

}  // namespace mq
