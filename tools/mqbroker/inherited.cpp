#include "mqbroker/inherited.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include <mqtt/net/address.hpp>
#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"

namespace mq {
namespace {

using mqtt::Transport;

constexpr int first_fd = 3;

/// A variable's text, empty if there is none; it is gone from the environment.
std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value ? value : "";
  ::unsetenv(name);
  return text;
}

/// What is before the next ':', which is taken from `names`.
std::string_view next_name(std::string_view& names) {
  const std::string_view name = names.substr(0, names.find(':'));
  names.remove_prefix(std::min(name.size() + 1, names.size()));
  return name;
}

Transport transport_named(std::string_view name) {
  if (name == "mqtts") return Transport::tls;
  if (name == "ws") return Transport::ws;
  return name == "wss" ? Transport::wss : Transport::tcp;
}

bool listens(int fd) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0;
}

/// An abstract name is shown with an '@'; a path is as long as `size` says, or ends at its NUL.
std::string path_of(const sockaddr_un& address, socklen_t size) {
  const std::size_t length = size - offsetof(sockaddr_un, sun_path);
  std::string path{address.sun_path, length};
  if (length > 0 && path[0] == '\0') return "@" + path.substr(1);
  return path.substr(0, path.find('\0'));
}

/// Nothing for anything but a TCP or unix socket that listens.
std::optional<ListenPlace> find_place(int fd, std::string_view name) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  auto* address = reinterpret_cast<sockaddr*>(&raw);
  if (!listens(fd) || ::getsockname(fd, address, &size) != 0) return std::nullopt;
  ListenPlace place;
  if (raw.ss_family == AF_UNIX) {
    place.transport = Transport::unix_socket;
    place.path = path_of(*reinterpret_cast<const sockaddr_un*>(&raw), size);
    return place;
  }
  const auto bound = mqtt::net::SocketAddress::from(address);
  char host[NI_MAXHOST];
  if (!bound || ::getnameinfo(address, size, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0)
    return std::nullopt;
  place.transport = transport_named(name);
  place.host = host;
  place.port = bound->port();
  return place;
}

}  // namespace

std::expected<std::vector<InheritedSocket>, std::string> take_inherited_sockets() {
  const std::string pid = take_variable("LISTEN_PID");
  const std::string fds = take_variable("LISTEN_FDS");
  const std::string all_names = take_variable("LISTEN_FDNAMES");
  if (pid != std::to_string(::getpid())) return {};  // they are another process's
  const auto count = mqtt::parse_number<std::uint16_t>(fds);
  if (!count)
    return std::unexpected(fmt::format("LISTEN_FDS: {} is not a number of sockets", in_quotes(fds)));
  std::vector<InheritedSocket> sockets;
  std::string_view names = all_names;
  for (int fd = first_fd; fd < first_fd + *count; ++fd) {
    auto place = find_place(fd, next_name(names));
    if (!place)
      return std::unexpected(fmt::format("LISTEN_FDS: descriptor {} is not a listening socket", fd));
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    sockets.push_back({fd, std::move(*place)});
  }
  return sockets;
}

}  // namespace mq
