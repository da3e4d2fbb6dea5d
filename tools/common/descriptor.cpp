#include "common/descriptor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace mq {
namespace {

FdKind kind_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return FdKind::file;  // reading or writing will say why
  if (S_ISFIFO(status.st_mode)) return FdKind::pipe;
  if (S_ISSOCK(status.st_mode)) return FdKind::socket;
  return S_ISCHR(status.st_mode) && ::isatty(fd) == 1 ? FdKind::terminal : FdKind::file;
}

bool ready(int fd, short event) {
  pollfd query{fd, event, 0};
  return ::poll(&query, 1, 0) == 1;
}

/// What a blocking descriptor that poll() calls writable takes without waiting: a pipe PIPE_BUF
/// bytes; a terminal has no promise, but little is likely.
constexpr std::size_t pipe_write_max = PIPE_BUF;
constexpr std::size_t terminal_write_max = 256;

}  // namespace

NonBlockingFd::NonBlockingFd(int fd, FdAccess access, Reopen reopen) : fd_{fd}, kind_{kind_of(fd)} {
  if (reopen == Reopen::never || (kind_ != FdKind::pipe && kind_ != FdKind::terminal)) return;
  const int mode = access == FdAccess::write ? O_WRONLY : O_RDONLY;
  own_ = ::open(fmt::format("/proc/self/fd/{}", fd).c_str(), mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

NonBlockingFd::~NonBlockingFd() {
  if (own_ >= 0) ::close(own_);
}

std::ptrdiff_t NonBlockingFd::write(mqtt::Bytes bytes) const {
  if (kind_ == FdKind::socket) return ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (kind_ == FdKind::file || own_ >= 0) return ::write(get(), bytes.data(), bytes.size());
  if (!ready(fd_, POLLOUT)) {
    errno = EAGAIN;
    return -1;
  }
  const std::size_t most = kind_ == FdKind::pipe ? pipe_write_max : terminal_write_max;
  return ::write(fd_, bytes.data(), std::min(bytes.size(), most));
}

std::ptrdiff_t NonBlockingFd::read(mqtt::MutableBytes into) const {
  if (kind_ == FdKind::socket) return ::recv(fd_, into.data(), into.size(), MSG_DONTWAIT);
  if (kind_ == FdKind::file || own_ >= 0) return ::read(get(), into.data(), into.size());
  if (!ready(fd_, POLLIN)) {
    errno = EAGAIN;
    return -1;
  }
  return ::read(fd_, into.data(), into.size());
}

bool NonBlockingFd::reader_gone() const {
  pollfd query{get(), POLLOUT, 0};
  return ::poll(&query, 1, 0) == 1 && (query.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

}  // namespace mq
