#include "mqbench/result_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/replaceable.hpp"

namespace mq::bench {
namespace {

mqtt::Result<int> open_file(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return std::unexpected(mqtt::system_error(errno, fmt::format("cannot write '{}'", path)));
  return fd;
}

mqtt::Result<void> write_into(const std::string& path, std::string_view text) {
  const auto fd = open_file(path);
  if (!fd) return std::unexpected(fd.error());
  auto written = write_all(*fd, text, fmt::format("'{}'", path));
  const int closed = close(*fd);
  if (written && closed != 0)
    written = std::unexpected(mqtt::system_error(errno, fmt::format("cannot write '{}'", path)));
  return written;
}

}  // namespace

mqtt::Result<void> write_all(int fd, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(mqtt::system_error(errno, fmt::format("cannot write {}", name)));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

mqtt::Result<void> check_writable(const std::string& path) {
  if (!is_replaceable(path)) {  // to open a pipe would be the end of it for who reads there
    if (access(path.c_str(), W_OK) == 0) return {};
    return std::unexpected(mqtt::system_error(errno, fmt::format("cannot write '{}'", path)));
  }
  const std::string part = path + ".part";
  const auto fd = open_file(part);
  if (!fd) return std::unexpected(fd.error());
  close(*fd);
  unlink(part.c_str());
  return {};
}

mqtt::Result<void> write_file(const std::string& path, std::string_view text) {
  if (!is_replaceable(path)) return write_into(path, text);
  const std::string part = path + ".part";
  auto written = write_into(part, text);
  if (written && std::rename(part.c_str(), path.c_str()) != 0)
    written = std::unexpected(mqtt::system_error(errno, fmt::format("cannot write '{}'", path)));
  if (!written) unlink(part.c_str());
  return written;
}

}  // namespace mq::bench
