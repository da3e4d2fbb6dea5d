#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

#include <mqtt/net/owned_fd.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

struct ListenOptions;

/// A socket that listens; the file of a unix socket goes away with it. Accepted TCP sockets inherit
/// its options: no delay, and keep-alive probes that find a peer which is gone.
class ListeningSocket {
 public:
  /// Binds and listens, or takes over options.fd. Errors say "cannot listen on PLACE: ...".
  [[nodiscard]] static Result<ListeningSocket> open(const ListenOptions& options);
  ListeningSocket(ListeningSocket&&) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool is_unix() const { return is_unix_; }
  /// 0 for a unix socket.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// "127.0.0.1:1883", "[::1]:1883", or the path.
  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  explicit ListeningSocket(OwnedFd fd);

  [[nodiscard]] static Result<ListeningSocket> open_tcp(const ListenOptions& options);
  [[nodiscard]] static Result<ListeningSocket> open_unix(const ListenOptions& options);
  [[nodiscard]] static Result<ListeningSocket> adopt(int fd);
  void look_up_place();

  /// Which file was made: another one may have taken its name by the end.
  struct File {
    std::string path;
    dev_t device = 0;
    ino_t inode = 0;
  };

  OwnedFd fd_;
  bool is_unix_ = false;
  std::uint16_t port_ = 0;
  std::string place_;
  File file_;  // empty path: none to remove
};

}  // namespace mqtt::net
