#pragma once
#include <expected>
#include <string>
#include <vector>

#include "mqbroker/listener_settings.hpp"

namespace mq {

/// A listening socket that a service manager opened for us.
struct InheritedSocket {
  int fd = -1;
  ListenPlace place;  ///< where it is bound, and what is spoken there
};

/// systemd's protocol (sd_listen_fds(3)): LISTEN_FDS descriptors from 3 on, for the process LISTEN_PID. A TCP
/// socket whose name in LISTEN_FDNAMES is mqtts, ws or wss speaks that, any other one mqtt. The descriptors
/// get close-on-exec and the variables leave the environment: no program that we start takes them for its
/// own. The error is a sentence.
[[nodiscard]] std::expected<std::vector<InheritedSocket>, std::string> take_inherited_sockets();

}  // namespace mq
