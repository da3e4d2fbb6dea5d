#include <mqtt/net/stream_pair.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include <mqtt/net/uv_stream.hpp>

namespace mqtt::net {

Result<StreamPair> make_stream_pair(Loop& loop, std::string name) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
    return std::unexpected(system_error(errno, "cannot make a pair of sockets"));
  OwnedFd first{ends[0]}, second{ends[1]};
  const auto path = std::make_shared<const std::string>(std::move(name));
  auto one = adopt_unix_socket(loop, std::move(first), path);
  if (!one) return std::unexpected(std::move(one.error()));
  auto other = adopt_unix_socket(loop, std::move(second), path);
  if (!other) return std::unexpected(std::move(other.error()));
  return StreamPair{std::make_unique<UvStream>(std::move(*one)),
                    std::make_unique<UvStream>(std::move(*other))};
}

}  // namespace mqtt::net
