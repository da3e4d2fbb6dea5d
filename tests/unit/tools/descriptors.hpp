#pragma once
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include <mqtt/net/loop.hpp>

namespace mq::test {

/// A descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd) : fd_{fd} {}
  ~Fd() { close(); }
  Fd(Fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  Fd& operator=(Fd&&) = delete;

  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  std::string read_some(std::size_t most = 1 << 20) const {
    std::string bytes(most, '\0');
    const ssize_t count = ::read(fd_, bytes.data(), most);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  void write(std::string_view bytes) const { written_ = ::write(fd_, bytes.data(), bytes.size()); }

 private:
  int fd_;
  mutable ssize_t written_ = 0;
};

struct Pair {
  Fd in, out;  // what goes into `in` comes out of `out`
};

inline Pair make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  return {Fd{ends[1]}, Fd{ends[0]}};
}

inline Pair make_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
  return {Fd{ends[1]}, Fd{ends[0]}};
}

/// Ends a loop that would wait for ever: the test then fails by what it expects.
class Patience {
 public:
  explicit Patience(mqtt::net::Loop& loop)
      : timer_{loop, [this, &loop] {
                 ran_out_ = true;
                 loop.stop();
               }} {
    timer_.set(loop.now() + std::chrono::seconds{5});
  }
  bool ran_out() const { return ran_out_; }

 private:
  bool ran_out_ = false;
  mqtt::net::Timer timer_;
};

}  // namespace mq::test
