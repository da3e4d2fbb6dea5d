#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/util/error.hpp>

namespace mq {

/// A line per URL on `fd`, all of it written when it returns.
[[nodiscard]] mqtt::Result<void> print_addresses(const std::vector<std::string>& urls, int fd = 1);

/// A sentence if `fd`, of --ready-fd, cannot be written to.
[[nodiscard]] std::optional<std::string> check_ready_fd(const std::optional<int>& fd);

/// Tells who waits for it that all listen: a line feed, and the descriptor is closed (s6's protocol, and that
/// of a shell's `read`). Nobody left to read it is no fault.
void tell_ready(int fd);

/// systemd's protocol, if the environment asks for it (NOTIFY_SOCKET, sd_notify(3)): "READY=1",
/// "STOPPING=1".
void notify_manager(std::string_view state);

}  // namespace mq
