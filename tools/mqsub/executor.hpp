#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/session/client_session.hpp>

#include "common/command.hpp"
#include "common/diag.hpp"
#include "common/wall_time.hpp"

namespace mq {

/// What is done with a command that failed.
enum class ExecFailure : std::uint8_t {
  stop,        ///< the program ends; the message stays unacknowledged, the server keeps it
  keep_going,  ///< it is said, and the message is given up: acknowledged, with an error code in MQTT 5.0
};

struct ExecConfig {
  std::string command;                       ///< empty: none
  std::uint16_t jobs = 1;                    ///< commands at the same time
  std::optional<mqtt::Duration> time_limit;  ///< of each command
  ExecFailure on_failure = ExecFailure::stop;
  bool replies = false;  ///< standard output is the answer to the message's Response Topic
};

/// Runs a command for each message: the payload on its standard input, the rest in its environment. A message
/// is acknowledged when its command has succeeded, and, if it answers, once the answer is on its way.
class Executor {
 public:
  struct Callbacks {
    std::function<void(mqtt::AckToken, mqtt::ReasonCode)> acknowledge;
    std::function<void()> on_room;           ///< wants_more() is true again, or all is done
    std::function<void(Sentence)> on_fault;  ///< ExecFailure::stop, or a command that cannot be run
  };

  /// `config` and `diag` must outlive it.
  Executor(mqtt::net::Loop& loop, const ExecConfig& config, Diag& diag, Callbacks callbacks);
  ~Executor();

  void add(const mqtt::PublishView& message, mqtt::AckToken token, WallTime received);
  /// Answers may wait for the server's window.
  void pump(mqtt::ClientSession& session, mqtt::TimePoint now);

  /// All jobs are taken: reading should pause.
  [[nodiscard]] bool wants_more() const { return running_.size() < config_.jobs && waiting_.empty(); }
  [[nodiscard]] bool idle() const { return running_.empty() && waiting_.empty() && answers_.empty(); }
  /// Asks what runs to end; nothing is acknowledged any more.
  void stop();

  /// Bytes of an answer.
  static constexpr std::size_t answer_max_bytes = 16 * 1024 * 1024;

 private:
  struct Job;

  void start_next();
  void on_done(Job* job, CommandResult result);
  void fail(Job& job, const std::string& how);

  mqtt::net::Loop& loop_;
  const ExecConfig& config_;
  Diag& diag_;
  Callbacks callbacks_;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::vector<std::unique_ptr<Job>> running_;
  std::deque<std::unique_ptr<Job>> answers_;  // done, but not answered
  WallClockText clock_;
};

}  // namespace mq
