#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <mqtt/net/loop.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>
#include <mqtt/util/time.hpp>

#include "common/descriptor.hpp"

namespace mq {

/// How long, at the end, the reader of standard output may take nothing.
inline constexpr mqtt::Duration output_grace = std::chrono::seconds{2};

/// Standard output, or another descriptor, on the loop. Gather with append() or buffer(), then
/// flush() once per turn: one write(2). A full pipe never blocks the loop; a reader that goes away is
/// noticed at once, even while nothing is written.
class Stdout {
 public:
  /// Called from the loop or from flush(); they may not destroy the Stdout.
  struct Callbacks {
    std::function<void()> on_drained;           ///< blocked() was true and no longer is
    std::function<void()> on_closed;            ///< nobody reads any more; once
    std::function<void(mqtt::Error)> on_error;  ///< a write failed (disk full...); once
  };

  /// From here on blocked() asks the owner to stop reading its source.
  static constexpr std::size_t high_water_bytes = 1024 * 1024;

  Stdout(mqtt::net::Loop& loop, Callbacks callbacks, int fd = 1);
  ~Stdout();
  Stdout(const Stdout&) = delete;
  Stdout& operator=(const Stdout&) = delete;

  /// Where to append; nothing may be removed. What is appended after an error or a close is dropped by
  /// the next flush().
  [[nodiscard]] std::string& buffer() { return buffer_; }
  void append(std::string_view text) { buffer_ += text; }

  /// Writes as much as goes without waiting.
  void flush();

  /// The reader is slower than we are: the owner should pause its source until on_drained.
  [[nodiscard]] bool blocked() const { return waiting_ || pending() >= high_water_bytes; }
  /// Appended and not yet taken by the kernel.
  [[nodiscard]] std::size_t pending() const { return buffer_.size() - sent_; }
  /// Bytes ever appended; a message is safe when written() has reached what this was behind it.
  [[nodiscard]] std::uint64_t position() const { return written_ + pending(); }
  [[nodiscard]] std::uint64_t written() const { return written_; }
  /// No write can succeed any more.
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool is_terminal() const;

  /// Stops watching, so that the loop can end.
  void stop_watching();

 private:
  [[nodiscard]] int write_pending();
  void forget_buffer();
  void watch();
  void on_event();
  void fail(int code);

  Callbacks callbacks_;
  NonBlockingFd fd_;
  std::unique_ptr<mqtt::net::FdWatcher> watcher_;
  std::string buffer_;
  std::size_t sent_ = 0;  // bytes at the front of buffer_ that are written
  std::uint64_t written_ = 0;
  bool waiting_ = false;  // for room in the pipe
  bool failed_ = false;
  bool watches_reader_ = true;
};

/// Standard input, or another descriptor (file, FIFO, terminal, pipe, /dev/null), on the loop.
class Stdin {
 public:
  struct Callbacks {
    /// Returns how many bytes it took. What it leaves pauses the reading, and is offered again after
    /// resume(). The view lives for the call. None of these may destroy the Stdin.
    std::function<std::size_t(mqtt::Bytes)> on_data;
    std::function<void()> on_end;
    std::function<void(mqtt::Error)> on_error;
  };

  /// One read takes at most this much. A regular file gives one slice per turn, so that the network
  /// is served between them.
  static constexpr std::size_t slice_bytes = 64 * 1024;

  /// Reading begins with resume(). `name` stands in messages; a descriptor that is the owner's alone and
  /// was opened with O_NONBLOCK needs no reopening.
  Stdin(mqtt::net::Loop& loop, Callbacks callbacks, int fd = 0, std::string name = "standard input",
        Reopen reopen = Reopen::if_possible);
  ~Stdin();
  Stdin(const Stdin&) = delete;
  Stdin& operator=(const Stdin&) = delete;

  void pause();
  /// Data come in later turns, never from inside this call.
  void resume();
  [[nodiscard]] bool paused() const { return paused_; }

 private:
  void arm();
  void on_ready();
  [[nodiscard]] bool read_slice();
  void end(int code);

  mqtt::net::Loop& loop_;
  Callbacks callbacks_;
  std::string name_;
  NonBlockingFd fd_;
  std::unique_ptr<mqtt::net::FdWatcher> watcher_;  // null: always ready
  mqtt::net::Timer next_turn_;
  std::unique_ptr<std::uint8_t[]> slice_;
  std::size_t begin_ = 0;  // of what the owner has not taken
  std::size_t end_ = 0;
  bool paused_ = true;
  bool watching_ = false;
  bool over_ = false;
};

/// All of a file, a FIFO or "-" (standard input). Errors are of domain system: what open and read
/// say, or EFBIG above `max_bytes`.
[[nodiscard]] mqtt::Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

/// To be called first in main(): descriptors 0 to 2 that are closed get a placeholder on which reading
/// and writing fail, so that no socket or file takes their number.
void reserve_standard_descriptors();

}  // namespace mq
