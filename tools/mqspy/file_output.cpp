#include "mqspy/file_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "common/spelling.hpp"

namespace mq::spy {

mqtt::Result<FileOutput> FileOutput::create(const std::string& path) {
  if (path == "-") return FileOutput{STDOUT_FILENO, "standard output"};
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0)
    return std::unexpected(mqtt::system_error(errno, fmt::format("cannot write {}", in_quotes(path))));
  return FileOutput{fd, in_quotes(path)};
}

FileOutput::FileOutput(FileOutput&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, name_{std::move(other.name_)}, buffer_{std::move(other.buffer_)} {}

FileOutput::~FileOutput() {
  if (fd_ > STDERR_FILENO) ::close(fd_);
}

mqtt::Result<void> FileOutput::flush() {
  int fault = 0;
  for (std::string_view rest = buffer_; !rest.empty() && fault == 0;) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written >= 0)
      rest.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      fault = errno;
  }
  buffer_.clear();  // what could not be written is lost, and does not gather
  if (fault == 0) return {};
  return std::unexpected(mqtt::system_error(fault, fmt::format("cannot write to {}", name_)));
}

bool is_closed_pipe(const mqtt::Error& error) {
  return error.domain == mqtt::ErrorDomain::system && error.code == EPIPE;
}

}  // namespace mq::spy
