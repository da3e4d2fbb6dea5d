#include <mqtt/store/file_lock.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

namespace mqtt::store {

Result<FileLock> FileLock::take(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd < 0) return std::unexpected(system_error(errno, fmt::format("cannot open the database {}", path)));
  FileLock lock{fd};
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK)
    return std::unexpected(system_error(errno, fmt::format("cannot lock the database {}", path)));
  return fail(ErrorDomain::system, EBUSY,
              fmt::format("cannot use the database {}: another mqbroker has it open", path));
}

FileLock::FileLock(FileLock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace mqtt::store
