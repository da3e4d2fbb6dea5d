#pragma once
#include <optional>

#include <mqtt/net/stream.hpp>

namespace mqtt::net {

/// What the kernel has counted of a TCP connection; nothing for another socket.
[[nodiscard]] std::optional<SegmentCounts> count_segments(int fd);

/// Acknowledges what has come at once, without waiting for data to send it along (tcp(7), TCP_QUICKACK). The
/// kernel soon goes back to its own ways: it is to be said again after each read.
void acknowledge_now(int fd);

}  // namespace mqtt::net
