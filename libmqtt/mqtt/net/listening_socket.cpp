#include <mqtt/net/listening_socket.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include <mqtt/net/address.hpp>
#include <mqtt/net/listener.hpp>

namespace mqtt::net {
namespace {

std::unexpected<Error> cannot_listen(std::string_view place, int code) {
  return std::unexpected(system_error(code, fmt::format("cannot listen on {}", place)));
}

void set_option(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);  // refinements: it works without them, too
}

int get_option(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/// What accepted sockets inherit. MQTT's own keep-alive may be off: then a peer whose host or network
/// went away is found after 120 s of silence and four probes.
void set_tcp_options(int fd) {
  constexpr int silence_s = 120, between_probes_s = 30, probes = 4;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // we gather writes ourselves
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, silence_s);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, between_probes_s);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
}

OwnedFd make_socket(int family) {
  return OwnedFd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, address.sun_path);
  return address;
}

/// 0, or an errno value.
int bind_to(int fd, const sockaddr_un& address) {
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

/// True for the socket file of a process that has ended without removing it.
bool is_abandoned(const sockaddr_un& address) {
  struct stat info{};
  if (::lstat(address.sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  const OwnedFd probe = make_socket(AF_UNIX);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  return probe.valid() && ::connect(probe.get(), raw, sizeof address) != 0 && errno == ECONNREFUSED;
}

}  // namespace

ListeningSocket::ListeningSocket(OwnedFd fd) : fd_{std::move(fd)} {}

ListeningSocket::~ListeningSocket() {
  struct stat now{};
  if (!fd_.valid() || file_.path.empty() || ::lstat(file_.path.c_str(), &now) != 0) return;
  if (now.st_dev == file_.device && now.st_ino == file_.inode) ::unlink(file_.path.c_str());
}

Result<ListeningSocket> ListeningSocket::open(const ListenOptions& options) {
  if (options.fd) return adopt(*options.fd);
  return options.unix_path.empty() ? open_tcp(options) : open_unix(options);
}

Result<ListeningSocket> ListeningSocket::open_tcp(const ListenOptions& options) {
  const auto address = SocketAddress::parse(options.address, options.port);
  if (!address)
    return fail(ErrorDomain::system, EINVAL,
                fmt::format("cannot listen on '{}': not an IP address", options.address));
  const std::string place = host_and_port(options.address, options.port);
  ListeningSocket made{make_socket(address->raw()->sa_family)};
  if (made.fd() < 0) return cannot_listen(place, errno);
  set_option(made.fd(), SOL_SOCKET, SO_REUSEADDR, 1);  // connections of a former process may linger
  // So that 0.0.0.0 and :: can both be bound on one port, and an IPv4 peer has an IPv4 address.
  if (address->family() == Family::ipv6) set_option(made.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  set_tcp_options(made.fd());
  if (::bind(made.fd(), address->raw(), address->raw_size()) != 0) return cannot_listen(place, errno);
  if (::listen(made.fd(), options.backlog) != 0) return cannot_listen(place, errno);
  made.look_up_place();
  return made;
}

Result<ListeningSocket> ListeningSocket::open_unix(const ListenOptions& options) {
  const std::string& path = options.unix_path;
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return cannot_listen(path, ENAMETOOLONG);
  const sockaddr_un address = unix_address(path);
  ListeningSocket made{make_socket(AF_UNIX)};
  if (made.fd() < 0) return cannot_listen(path, errno);
  int fault = bind_to(made.fd(), address);
  if (fault == EADDRINUSE && is_abandoned(address) && ::unlink(path.c_str()) == 0)
    fault = bind_to(made.fd(), address);
  if (fault != 0) return cannot_listen(path, fault);
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0) made.file_ = {path, info.st_dev, info.st_ino};
  // Nobody can connect before listen(): the mode is in time.
  if (::chmod(path.c_str(), options.unix_mode) != 0) return cannot_listen(path, errno);
  if (::listen(made.fd(), options.backlog) != 0) return cannot_listen(path, errno);
  made.look_up_place();
  return made;
}

Result<ListeningSocket> ListeningSocket::adopt(int fd) {
  const std::string place = fmt::format("descriptor {}", fd);
  const int listens = get_option(fd, SO_ACCEPTCONN);
  if (listens < 0) return cannot_listen(place, errno);
  if (listens == 0 || get_option(fd, SO_TYPE) != SOCK_STREAM)
    return fail(ErrorDomain::system, EINVAL, fmt::format("cannot listen on {}: no listening socket", place));
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ListeningSocket made{OwnedFd{fd}};
  made.look_up_place();
  if (!made.is_unix_) set_tcp_options(fd);
  return made;
}

void ListeningSocket::look_up_place() {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  ::getsockname(fd(), reinterpret_cast<sockaddr*>(&raw), &size);
  is_unix_ = raw.ss_family == AF_UNIX;
  if (const auto address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&raw))) {
    port_ = address->port();
    place_ = address->text();
  } else if (is_unix_) {
    place_ = reinterpret_cast<const sockaddr_un*>(&raw)->sun_path;
  }
}

}  // namespace mqtt::net
