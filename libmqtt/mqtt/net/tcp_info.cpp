#include <mqtt/net/tcp_info.hpp>

// Linux' own header, for the C library's knows only the first members; the two do not go together, which
// is why this file is one of its own.
#include <linux/tcp.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <cstddef>

namespace mqtt::net {

std::optional<SegmentCounts> count_segments(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  if (size < offsetof(tcp_info, tcpi_segs_out) + sizeof info.tcpi_segs_out)
    return std::nullopt;  // before 4.2
  return SegmentCounts{.sent = info.tcpi_segs_out, .resent = info.tcpi_total_retrans};
}

void acknowledge_now(int fd) {
  constexpr int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);  // not there on a unix socket, nor needed
}

}  // namespace mqtt::net
