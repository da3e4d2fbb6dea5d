#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/loop.hpp>
#include <mqtt/util/error.hpp>

namespace mq {

/// How a command is run.
struct CommandInput {
  std::string command;                   ///< for /bin/sh -c
  std::vector<std::string> environment;  ///< "NAME=VALUE", besides ours
  std::string input;                     ///< its standard input
  bool collects_output = false;          ///< else its standard output is ours
  std::size_t output_max = 0;            ///< bytes that are collected; more is a failure
  std::optional<mqtt::Duration>
      time_limit;  ///< then it is asked to end (SIGTERM), and soon made to (SIGKILL)
};

/// How it ended.
struct CommandResult {
  bool succeeded = false;  ///< exit code 0
  std::string how;         ///< "exit code 3", "signal 9", "no end after 5s"
  std::string output;
};

/// A child process in a loop. It is fed, read and waited for without blocking; a child that does not read its
/// input is no failure. Signals and SIGPIPE are as they were before this program changed them. It has a
/// process group of its own, so that all it has started can be ended with it. Its end is told once its output
/// has ended, too.
class Command {
 public:
  using Done = std::function<void(CommandResult)>;

  /// `done` is called from the loop, never from here; it may destroy the Command.
  [[nodiscard]] static mqtt::Result<std::unique_ptr<Command>> start(mqtt::net::Loop& loop, CommandInput input,
                                                                    Done done);
  /// A child that still runs is asked to end (SIGTERM), and not waited for.
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

 private:
  Command(mqtt::net::Loop& loop, CommandInput input, Done done);

  [[nodiscard]] mqtt::Result<void> spawn();
  [[nodiscard]] mqtt::Result<void> watch();
  void feed();
  void collect();
  void on_exit();
  void on_time_limit();
  /// Asks it to, for this reason; after a grace it is made to.
  void end(std::string how);
  void signal_all(int number) const;
  void stop_collecting();
  void finish_if_over();

  mqtt::net::Loop& loop_;
  CommandInput input_;
  Done done_;
  int pid_ = -1;
  int process_fd_ = -1;
  int stdin_fd_ = -1;
  int stdout_fd_ = -1;
  std::unique_ptr<mqtt::net::FdWatcher> exit_watcher_;
  std::unique_ptr<mqtt::net::FdWatcher> stdin_watcher_;
  std::unique_ptr<mqtt::net::FdWatcher> stdout_watcher_;
  mqtt::net::Timer over_;
  mqtt::net::Timer limit_;
  std::size_t fed_ = 0;
  CommandResult result_;
  bool exited_ = false;
  bool ending_ = false;
};

}  // namespace mq
