#include "mqsub/record_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "common/replaceable.hpp"

namespace mq {
namespace {

constexpr mode_t file_mode = 0666;  // less the umask

mqtt::Result<int> open_file(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, file_mode);
  if (fd >= 0) return fd;
  return std::unexpected(mqtt::system_error(errno, fmt::format("cannot open '{}'", path)));
}

}  // namespace

mqtt::Result<std::unique_ptr<RecordFile>> RecordFile::append_to(const std::string& path) {
  const auto fd = open_file(path, O_APPEND);
  if (!fd) return std::unexpected(fd.error());
  return std::unique_ptr<RecordFile>{new RecordFile{path, "", *fd}};
}

mqtt::Result<std::unique_ptr<RecordFile>> RecordFile::replace(const std::string& path) {
  const bool beside = is_replaceable(path);
  std::string temporary = beside ? fmt::format("{}.{}.tmp", path, ::getpid()) : "";
  const auto fd = beside ? open_file(temporary, O_EXCL) : open_file(path, O_TRUNC);
  if (!fd) return std::unexpected(fd.error());
  return std::unique_ptr<RecordFile>{new RecordFile{path, std::move(temporary), *fd}};
}

RecordFile::~RecordFile() {
  ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

std::unexpected<mqtt::Error> RecordFile::failed(int code) const {
  return std::unexpected(mqtt::system_error(code, fmt::format("cannot write '{}'", path_)));
}

mqtt::Result<void> RecordFile::flush() {
  for (std::string_view rest = buffer_; !rest.empty();) {
    const ssize_t count = ::write(fd_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(errno);
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  buffer_.clear();
  return {};
}

mqtt::Result<void> RecordFile::commit() {
  if (auto ok = flush(); !ok || temporary_.empty()) return ok;
  if (::fsync(fd_) != 0) return failed(errno);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return failed(errno);
  temporary_.clear();
  return {};
}

}  // namespace mq
