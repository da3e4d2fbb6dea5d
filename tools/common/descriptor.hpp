#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mqtt/util/bytes.hpp>

namespace mq {

enum class FdKind : std::uint8_t { file, pipe, terminal, socket };

enum class FdAccess : std::uint8_t { read, write };

/// `never` is for where /proc is not there, and for the tests of that.
enum class Reopen : std::uint8_t { if_possible, never };

/// A descriptor that somebody else opened, used without ever waiting. O_NONBLOCK would be seen by every
/// process that shares the open file description, so pipes and terminals are opened anew through
/// /proc; where that fails, writes are preceded by poll() and kept small enough not to wait.
class NonBlockingFd {
 public:
  NonBlockingFd(int fd, FdAccess access, Reopen reopen = Reopen::if_possible);
  ~NonBlockingFd();
  NonBlockingFd(const NonBlockingFd&) = delete;
  NonBlockingFd& operator=(const NonBlockingFd&) = delete;

  /// What to watch for readiness.
  [[nodiscard]] int get() const { return own_ >= 0 ? own_ : fd_; }
  /// Regular files and devices such as /dev/null count as file: always ready.
  [[nodiscard]] FdKind kind() const { return kind_; }

  /// As write(2) and read(2): the bytes moved, or -1 with errno, EAGAIN where it would have to wait.
  [[nodiscard]] std::ptrdiff_t write(mqtt::Bytes bytes) const;
  [[nodiscard]] std::ptrdiff_t read(mqtt::MutableBytes into) const;
  /// Whether nobody is left to read what is written.
  [[nodiscard]] bool reader_gone() const;

 private:
  int fd_;
  int own_ = -1;  // our own open file description
  FdKind kind_;
};

}  // namespace mq
