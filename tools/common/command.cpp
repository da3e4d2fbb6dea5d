#include "common/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <mqtt/util/text.hpp>

namespace mq {
namespace {

using mqtt::system_error;

/// From SIGTERM to SIGKILL.
constexpr mqtt::Duration grace = std::chrono::seconds{2};

void close_and_forget(int& fd) {
  if (fd >= 0) ::close(std::exchange(fd, -1));
}

/// A pipe of which our end does not block and neither end is inherited but by dup2.
struct Pipe {
  int read_end = -1;
  int write_end = -1;

  [[nodiscard]] static mqtt::Result<Pipe> open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(system_error(errno, "cannot make a pipe"));
    return Pipe{ends[0], ends[1]};
  }
};

void make_non_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

/// posix_spawn's two helpers, freed at the end.
class SpawnSetup {
 public:
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, ours;
    ::sigemptyset(&none);
    ::sigemptyset(&ours);
    // The loop ignores SIGPIPE; a command that inherited that would not end when its reader does.
    ::sigaddset(&ours, SIGPIPE);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &ours);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  void give(int fd, int as) { ::posix_spawn_file_actions_adddup2(&actions_, fd, as); }

  [[nodiscard]] int spawn(int& pid, const std::string& command, std::vector<char*>& environment) {
    std::string shell = "/bin/sh", option = "-c", text = command;
    char* arguments[] = {shell.data(), option.data(), text.data(), nullptr};
    return ::posix_spawn(&pid, shell.c_str(), &actions_, &attributes_, arguments, environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> environment_with(std::vector<std::string>& own) {
  std::vector<char*> all;
  for (std::string& variable : own) all.push_back(variable.data());
  for (char** variable = environ; *variable; ++variable) all.push_back(*variable);
  all.push_back(nullptr);
  return all;
}

}  // namespace

Command::Command(mqtt::net::Loop& loop, CommandInput input, Done done)
    : loop_{loop},
      input_{std::move(input)},
      done_{std::move(done)},
      over_{loop,
            [this] {
              const Done finished = std::move(done_);  // the last thing: it may destroy this object
              finished(std::move(result_));
            }},
      limit_{loop, [this] { on_time_limit(); }} {}

Command::~Command() {
  signal_all(SIGTERM);
  close_and_forget(stdin_fd_);
  close_and_forget(stdout_fd_);
  close_and_forget(process_fd_);
}

mqtt::Result<std::unique_ptr<Command>> Command::start(mqtt::net::Loop& loop, CommandInput input, Done done) {
  std::unique_ptr<Command> command{new Command{loop, std::move(input), std::move(done)}};
  if (auto ok = command->spawn(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = command->watch(); !ok) return std::unexpected(std::move(ok.error()));
  return command;
}

mqtt::Result<void> Command::spawn() {
  auto in = Pipe::open();
  if (!in) return std::unexpected(std::move(in.error()));
  auto out = input_.collects_output ? Pipe::open() : mqtt::Result<Pipe>{Pipe{}};
  if (!out) {
    ::close(in->read_end);
    ::close(in->write_end);
    return std::unexpected(std::move(out.error()));
  }
  SpawnSetup setup;
  setup.give(in->read_end, STDIN_FILENO);
  if (out->write_end >= 0) setup.give(out->write_end, STDOUT_FILENO);
  std::vector<char*> environment = environment_with(input_.environment);
  const int fault = setup.spawn(pid_, input_.command, environment);
  ::close(in->read_end);
  close_and_forget(out->write_end);
  stdin_fd_ = in->write_end;
  stdout_fd_ = out->read_end;
  if (fault == 0 && input_.time_limit) limit_.set(loop_.now() + *input_.time_limit);
  if (fault == 0) return {};
  pid_ = -1;
  return std::unexpected(system_error(fault, "cannot run /bin/sh"));
}

mqtt::Result<void> Command::watch() {
  using mqtt::net::FdEvents;
  using mqtt::net::FdWatcher;
  process_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (process_fd_ < 0) return std::unexpected(system_error(errno, "cannot watch the command"));
  auto exit_watcher = FdWatcher::open(loop_, process_fd_, [this](FdEvents) { on_exit(); });
  if (!exit_watcher) return std::unexpected(std::move(exit_watcher.error()));
  exit_watcher_ = std::move(*exit_watcher);
  exit_watcher_->watch({.readable = true});
  make_non_blocking(stdin_fd_);
  auto stdin_watcher = FdWatcher::open(loop_, stdin_fd_, [this](FdEvents) { feed(); });
  if (!stdin_watcher) return std::unexpected(std::move(stdin_watcher.error()));
  stdin_watcher_ = std::move(*stdin_watcher);
  feed();
  if (stdout_fd_ < 0) return {};
  make_non_blocking(stdout_fd_);
  auto stdout_watcher = FdWatcher::open(loop_, stdout_fd_, [this](FdEvents) { collect(); });
  if (!stdout_watcher) return std::unexpected(std::move(stdout_watcher.error()));
  stdout_watcher_ = std::move(*stdout_watcher);
  stdout_watcher_->watch({.readable = true});
  return {};
}

void Command::feed() {
  while (fed_ < input_.input.size()) {
    const ssize_t count = ::write(stdin_fd_, input_.input.data() + fed_, input_.input.size() - fed_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return stdin_watcher_->watch({.writable = true});
    if (count < 0) break;  // it reads no more
    fed_ += static_cast<std::size_t>(count);
  }
  stdin_watcher_.reset();
  close_and_forget(stdin_fd_);
  input_.input = {};
}

void Command::collect() {
  std::array<char, 16 * 1024> slice;
  ssize_t count = 0;
  do count = ::read(stdout_fd_, slice.data(), slice.size());
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return;
  if (count > 0) {
    const std::size_t room = input_.output_max - std::min(input_.output_max, result_.output.size());
    if (static_cast<std::size_t>(count) <= room) {
      result_.output.append(slice.data(), static_cast<std::size_t>(count));
      return;
    }
    end(fmt::format("more than {} bytes of output", input_.output_max));
  }
  stop_collecting();
  finish_if_over();
}

void Command::stop_collecting() {
  stdout_watcher_.reset();
  close_and_forget(stdout_fd_);
}

/// Of the group that the command leads: itself, and all that it has started.
void Command::signal_all(int number) const {
  if (pid_ > 0 && !exited_) ::kill(-pid_, number);
}

void Command::end(std::string how) {
  ending_ = true;
  result_.succeeded = false;
  result_.how = std::move(how);
  signal_all(SIGTERM);
  limit_.set(loop_.now() + grace);
}

void Command::on_time_limit() {
  if (!ending_) {
    end("no end after " + mqtt::format_duration(*input_.time_limit));
    if (!exited_) return;
  }
  signal_all(SIGKILL);
  stop_collecting();  // somebody who outlived the command, or left its group, may hold it
  finish_if_over();
}

void Command::on_exit() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
  exited_ = true;
  exit_watcher_.reset();
  close_and_forget(process_fd_);
  result_.succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0 && result_.how.empty();
  if (result_.how.empty())
    result_.how = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                      : fmt::format("exit code {}", WEXITSTATUS(status));
  stdin_watcher_.reset();
  close_and_forget(stdin_fd_);
  finish_if_over();
}

void Command::finish_if_over() {
  if (!exited_ || stdout_fd_ >= 0) return;
  limit_.cancel();
  over_.set(loop_.now());
}

}  // namespace mq
