#include "common/readiness.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace mq {
namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

std::optional<std::string> check_ready_fd(const std::optional<int>& fd) {
  if (!fd) return std::nullopt;
  const int flags = ::fcntl(*fd, F_GETFL);
  if (flags < 0) return fmt::format("option '--ready-fd': {} is not an open descriptor", *fd);
  if ((flags & O_ACCMODE) == O_RDONLY)
    return fmt::format("option '--ready-fd': descriptor {} cannot be written to", *fd);
  return std::nullopt;
}

mqtt::Result<void> print_addresses(const std::vector<std::string>& urls, int fd) {
  const std::string lines = fmt::format("{}\n", fmt::join(urls, "\n"));
  if (write_all(fd, lines)) return {};
  return std::unexpected(mqtt::system_error(errno, "cannot write to standard output"));
}

void tell_ready(int fd) {
  (void)write_all(fd, "\n");
  ::close(fd);
}

void notify_manager(std::string_view state) {
  const char* variable = std::getenv("NOTIFY_SOCKET");
  const std::string_view path = variable ? variable : "";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool usable =
      path.size() > 1 && path.size() < sizeof address.sun_path && (path[0] == '/' || path[0] == '@');
  if (!usable) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  (void)::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&address), size);
  ::close(fd);
}

}  // namespace mq
