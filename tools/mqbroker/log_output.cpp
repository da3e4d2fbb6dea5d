#include "mqbroker/log_output.hpp"

#include <cerrno>
#include <utility>

namespace mq {

LogOutput::LogOutput(int fd, std::function<std::string(std::uint64_t)> notice)
    : fd_{fd, FdAccess::write}, notice_{std::move(notice)} {}

void LogOutput::write(std::string_view line) {
  if (finish_line() && lost_ > 0) begin_line(notice_(std::exchange(lost_, 0)));
  if (finish_line()) return begin_line(line);
  ++lost_;
}

/// Whether a line can begin.
bool LogOutput::finish_line() {
  while (!rest_.empty()) {
    const auto count = fd_.write(mqtt::as_bytes(rest_));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    rest_.erase(0, static_cast<std::size_t>(count));
  }
  return true;
}

void LogOutput::begin_line(std::string_view line) {
  rest_ = line;
  if (!finish_line() && rest_.size() == line.size()) {  // nothing of it was taken: it is lost as a whole
    rest_.clear();
    ++lost_;
  }
}

}  // namespace mq
