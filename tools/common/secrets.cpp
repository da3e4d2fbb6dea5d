#include "common/secrets.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "common/stdio.hpp"

namespace mq {
namespace {

using mqtt::Error;
using mqtt::ErrorDomain;
using mqtt::Result;

std::string without_line_feed(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

Result<std::string> from_file(const std::string& path) {
  auto content = read_file(path, secret_max_bytes + 1);
  if (!content) return content;
  return without_line_feed(std::move(*content));
}

Result<std::string> from_environment(const std::string& name) {
  if (const char* value = std::getenv(name.c_str())) return std::string{value};
  return mqtt::fail(ErrorDomain::system, ENOENT, fmt::format("environment variable '{}' is not set", name));
}

/// A child of /bin/sh whose standard output comes to us.
class ShellCommand {
 public:
  /// An errno if it cannot be started.
  int start(const std::string& command);
  /// What it wrote, up to `max_bytes`.
  std::string read(std::size_t max_bytes);
  /// Its exit status, as waitpid() gives it.
  int wait();

 private:
  pid_t child_ = -1;
  int output_ = -1;
};

int ShellCommand::start(const std::string& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  // We ignore SIGPIPE; a shell pipeline relies on it.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  std::string shell = "/bin/sh", option = "-c", text = command;
  const std::array<char*, 4> arguments{shell.data(), option.data(), text.data(), nullptr};
  const int fault = ::posix_spawn(&child_, shell.c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  output_ = ends[0];
  return fault;
}

std::string ShellCommand::read(std::size_t max_bytes) {
  std::string output(max_bytes, '\0');
  std::size_t size = 0;
  while (size < max_bytes) {
    const ssize_t count = ::read(output_, output.data() + size, max_bytes - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  output.resize(size);
  return output;
}

int ShellCommand::wait() {
  ::close(output_);
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

Result<std::string> from_command(const std::string& command, std::string_view what) {
  ShellCommand shell;
  if (const int fault = shell.start(command))
    return std::unexpected(mqtt::system_error(fault, fmt::format("cannot run the command for the {}", what)));
  std::string output = shell.read(secret_max_bytes + 1);
  const int status = shell.wait();
  const auto failed = [what](std::string how) {
    return mqtt::fail(ErrorDomain::system, EIO, fmt::format("the command for the {} {}", what, how));
  };
  if (WIFSIGNALED(status)) return failed(fmt::format("was ended by signal {}", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) return failed(fmt::format("ended with status {}", WEXITSTATUS(status)));
  return without_line_feed(std::move(output));
}

volatile std::sig_atomic_t prompt_signal = 0;

/// While a secret is typed: no echo, and a signal interrupts the read instead of leaving the terminal
/// without echo. Everything is put back at the end.
class QuietTerminal {
 public:
  explicit QuietTerminal(int fd) : fd_{fd} {
    prompt_signal = 0;
    struct sigaction action{};
    action.sa_handler = [](int number) { prompt_signal = number; };
    sigset_t blocked;
    ::sigemptyset(&blocked);
    for (std::size_t i = 0; i < signals.size(); ++i) {
      ::sigaction(signals[i], &action, &before_[i]);
      ::sigaddset(&blocked, signals[i]);
    }
    ::pthread_sigmask(SIG_BLOCK, &blocked, &mask_);
    ::tcgetattr(fd_, &modes_);
    termios quiet = modes_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ECHONL;
    ::tcsetattr(fd_, TCSAFLUSH, &quiet);
  }
  ~QuietTerminal() {
    ::tcsetattr(fd_, TCSAFLUSH, &modes_);
    for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &before_[i], nullptr);
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    if (prompt_signal != 0) ::raise(prompt_signal);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

  /// False if a signal came first, whenever that was: signals get through only while it waits.
  [[nodiscard]] bool wait_readable() const {
    pollfd interest{fd_, POLLIN, 0};
    while (prompt_signal == 0) {
      if (::ppoll(&interest, 1, nullptr, &mask_) > 0) return true;
      if (errno != EINTR) return false;
    }
    return false;
  }

 private:
  static constexpr std::array<int, 4> signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

  int fd_;
  sigset_t mask_{};
  termios modes_{};
  std::array<struct sigaction, signals.size()> before_{};
};

/// One line of the terminal; nothing if a signal or the end came before it.
std::optional<std::string> read_line(const QuietTerminal& terminal, int fd) {
  std::string line;
  for (char c = 0; line.size() <= secret_max_bytes;) {
    if (!terminal.wait_readable() || ::read(fd, &c, 1) <= 0) return std::nullopt;
    if (c == '\n') return line;
    line.push_back(c);
  }
  return line;
}

Result<std::string> from_prompt(std::string_view what) {
  const int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0)
    return std::unexpected(
        mqtt::system_error(errno, fmt::format("cannot ask for the {} on a terminal", what)));
  const std::string question = fmt::format("{}: ", what);
  std::optional<std::string> line;
  {
    const QuietTerminal quiet{fd};
    if (::write(fd, question.data(), question.size()) > 0) line = read_line(quiet, fd);
  }
  ::close(fd);
  if (line) return std::move(*line);
  return mqtt::fail(ErrorDomain::system, EINTR, fmt::format("no {} was typed", what));
}

Result<std::string> fetch(const SecretSource& source, std::string_view what) {
  if (source.value) return *source.value;
  if (source.file) return from_file(*source.file);
  if (source.environment) return from_environment(*source.environment);
  if (source.command) return from_command(*source.command, what);
  return from_prompt(what);
}

}  // namespace

Result<std::optional<std::string>> resolve_secret(const SecretSource& source, std::string_view what) {
  if (!source.given()) return std::nullopt;
  auto secret = fetch(source, what);
  if (!secret) return std::unexpected(std::move(secret.error()));
  if (secret->size() > secret_max_bytes)
    return mqtt::fail(ErrorDomain::system, EMSGSIZE,
                      fmt::format("the {} is longer than {} bytes", what, secret_max_bytes));
  return std::move(*secret);
}

}  // namespace mq
