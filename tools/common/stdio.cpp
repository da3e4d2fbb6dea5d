#include "common/stdio.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mq {

Stdout::Stdout(mqtt::net::Loop& loop, Callbacks callbacks, int fd)
    : callbacks_{std::move(callbacks)}, fd_{fd, FdAccess::write} {
  if (fd_.kind() == FdKind::file) return;
  // Without a watcher (a descriptor that cannot be polled) a lost reader shows at the next write.
  if (auto watcher = mqtt::net::FdWatcher::open(loop, fd_.get(), [this](mqtt::net::FdEvents) { on_event(); }))
    watcher_ = std::move(*watcher);
  watch();
}

Stdout::~Stdout() = default;

void Stdout::watch() {
  if (watcher_) watcher_->watch({.writable = waiting_ && !failed_, .hung_up = watches_reader_ && !failed_});
}

void Stdout::stop_watching() { watcher_.reset(); }

bool Stdout::is_terminal() const { return fd_.kind() == FdKind::terminal; }

void Stdout::on_event() {
  if (fd_.reader_gone()) return fail(EPIPE);
  // Half-closed: the peer of a socket sends no more, but may read. A write will tell.
  if (!waiting_) watches_reader_ = false;
  flush();
  if (!failed_) watch();
}

void Stdout::flush() {
  if (failed_) {
    buffer_.clear();
    return;
  }
  const bool was_blocked = blocked();
  const int fault = write_pending();
  const bool waits = fault == EAGAIN;
  if (fault != 0 && !waits) return fail(fault);
  if (waits != waiting_) {
    waiting_ = waits;
    watch();
  }
  if (was_blocked && !blocked() && callbacks_.on_drained) callbacks_.on_drained();
}

int Stdout::write_pending() {
  while (pending() > 0) {
    const std::ptrdiff_t count = fd_.write(mqtt::as_bytes(buffer_).subspan(sent_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    sent_ += static_cast<std::size_t>(count);
    written_ += static_cast<std::uint64_t>(count);
  }
  forget_buffer();
  return 0;
}

/// Empty again; what one large message took is given back.
void Stdout::forget_buffer() {
  sent_ = 0;
  buffer_.clear();
  if (buffer_.capacity() > 2 * high_water_bytes) buffer_.shrink_to_fit();
}

void Stdout::fail(int code) {
  failed_ = true;
  waiting_ = false;
  forget_buffer();
  watch();
  if (code == EPIPE || code == ECONNRESET) {
    if (callbacks_.on_closed) callbacks_.on_closed();
  } else if (callbacks_.on_error) {
    callbacks_.on_error(mqtt::system_error(code, "cannot write to standard output"));
  }
}

Stdin::Stdin(mqtt::net::Loop& loop, Callbacks callbacks, int fd, std::string name, Reopen reopen)
    : loop_{loop},
      callbacks_{std::move(callbacks)},
      name_{std::move(name)},
      fd_{fd, FdAccess::read, reopen},
      next_turn_{loop, [this] { on_ready(); }},
      slice_{std::make_unique_for_overwrite<std::uint8_t[]>(slice_bytes)} {
  if (fd_.kind() == FdKind::file) return;
  if (auto watcher = mqtt::net::FdWatcher::open(loop, fd_.get(), [this](mqtt::net::FdEvents) { on_ready(); }))
    watcher_ = std::move(*watcher);
}

Stdin::~Stdin() = default;

void Stdin::pause() {
  paused_ = true;
  next_turn_.cancel();
  if (watching_) watcher_->watch({});
  watching_ = false;
}

void Stdin::resume() {
  if (!paused_ || over_) return;
  paused_ = false;
  arm();
}

/// What was left over, and what is always ready, comes in the next turn: others have theirs between.
void Stdin::arm() {
  if (begin_ < end_ || !watcher_) return next_turn_.set(loop_.now());
  if (!watching_) watcher_->watch({.readable = true});
  watching_ = true;
}

void Stdin::on_ready() {
  if (begin_ == end_ && !read_slice()) return;
  begin_ += callbacks_.on_data({slice_.get() + begin_, end_ - begin_});
  if (paused_) return;
  if (begin_ < end_) return pause();
  arm();
}

/// False if there is nothing to offer: not yet, or no more.
bool Stdin::read_slice() {
  std::ptrdiff_t count = 0;
  do count = fd_.read({slice_.get(), slice_bytes});
  while (count < 0 && errno == EINTR);
  if (count > 0) {
    begin_ = 0;
    end_ = static_cast<std::size_t>(count);
    return true;
  }
  if (count < 0 && errno == EAGAIN) return false;
  end(count < 0 ? errno : 0);
  return false;
}

void Stdin::end(int code) {
  pause();
  over_ = true;
  if (code == 0) return callbacks_.on_end();
  callbacks_.on_error(code == EBADF ? mqtt::Error{mqtt::ErrorDomain::system, EBADF, name_ + " is closed"}
                                    : mqtt::system_error(code, "cannot read " + name_));
}

namespace {

/// Whether reading may go on after `fault`: an interrupted call, or a descriptor that somebody else
/// made non-blocking.
bool may_go_on(int fd, int fault) {
  if (fault == EINTR) return true;
  pollfd query{fd, POLLIN, 0};
  return fault == EAGAIN && ::poll(&query, 1, -1) == 1;
}

/// Everything up to the end, or the errno.
std::expected<std::string, int> read_to_end(int fd, std::size_t max_bytes) {
  constexpr std::size_t step_bytes = 64 * 1024;
  std::string content;
  for (;;) {
    const std::size_t before = content.size();
    ssize_t count = 0;
    content.resize_and_overwrite(before + step_bytes, [&](char* data, std::size_t) {
      count = ::read(fd, data + before, step_bytes);
      return before + static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    });
    if (count == 0) return content;
    if (count < 0 && !may_go_on(fd, errno)) return std::unexpected(errno);
    if (content.size() > max_bytes) return std::unexpected(EFBIG);
  }
}

}  // namespace

mqtt::Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  const bool standard_input = path == "-";
  const std::string name = standard_input ? "standard input" : fmt::format("'{}'", path);
  const int fd = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(mqtt::system_error(errno, "cannot open " + name));
  auto content = read_to_end(fd, max_bytes);
  if (!standard_input) ::close(fd);
  if (content) return std::move(*content);
  return std::unexpected(mqtt::system_error(content.error(), "cannot read " + name));
}

void reserve_standard_descriptors() {
  // open() takes the lowest free number. The wrong direction makes every use fail with EBADF.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    const bool closed = ::fcntl(fd, F_GETFD) < 0;
    if (closed) (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace mq
