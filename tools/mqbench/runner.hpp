#pragma once
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <mqtt/net/loop.hpp>

#include "common/diag.hpp"
#include "common/exit_code.hpp"
#include "common/signals.hpp"
#include "mqbench/control.hpp"
#include "mqbench/interval_log.hpp"
#include "mqbench/meeting.hpp"
#include "mqbench/progress_reporter.hpp"
#include "mqbench/results_config.hpp"
#include "mqbench/run_result.hpp"
#include "mqbench/worker.hpp"

namespace mq::bench {

/// One run, seen from the main thread: starts the workers together, watches, ends, adds up.
class Runner {
 public:
  /// A setup per worker. Everything else must outlive it. `loop`: the main thread's. `meeting`: with the
  /// other shards of the run; null if it has no others.
  Runner(mqtt::net::Loop& loop, const Plan& plan, const ConnectionConfig& connection,
         const ResultsConfig& results, std::vector<std::vector<BrokerSetup>> setups, Diag& diag,
         Meeting* meeting = nullptr);
  ~Runner();

  /// Nothing if there is no result: the run did not come to its start. Why has been said then.
  [[nodiscard]] std::expected<RunResult, ExitCode> run();
  /// The signal that ended it; 0 if none has.
  [[nodiscard]] int stop_signal() const { return signals_.stop_signal(); }
  /// After run(): the first thing that went wrong, which it has said.
  [[nodiscard]] std::optional<ExitCode> failure() const;
  /// In callbacks of the loop, while run() lasts.
  [[nodiscard]] LiveState live_state();

 private:
  enum class State : std::uint8_t { connecting, running, finishing, settling };

  void look();
  void look_while_connecting();
  void look_while_running();
  void await_start();
  void start_at(mqtt::TimePoint start);
  [[nodiscard]] Progress progress();
  [[nodiscard]] bool settled() const;
  [[nodiscard]] Service service() const;
  [[nodiscard]] bool meeting_failed();
  void settle(std::vector<std::uint64_t>& deliverable);
  void follow_seconds();
  void close_second(std::size_t second);
  void take_seconds();
  void finish();
  void on_stop();
  void show_progress();
  [[nodiscard]] std::optional<mqtt::Duration> planned() const;
  [[nodiscard]] bool any_failed() const;
  [[nodiscard]] bool all_sent() const;
  [[nodiscard]] std::uint64_t sum(std::atomic<std::uint64_t> Status::* count) const;
  [[nodiscard]] std::uint32_t sum(std::atomic<std::uint32_t> Status::* count) const;
  [[nodiscard]] RunResult add_up();
  void tell_failure() const;

  const Plan& plan_;
  const ConnectionConfig& connection_;
  Diag& diag_;
  Meeting* meeting_;
  mqtt::net::Loop& loop_;
  Signals signals_;
  mqtt::net::Timer timer_;
  Control control_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  const ResultsConfig& results_;
  SystemCounters system_;  // at the start
  UsageMeter usage_;
  std::optional<Usage> last_usage_;  // of a complete second
  IntervalLog intervals_;
  std::unique_ptr<ProgressReporter> reporter_;
  std::optional<RendezvousFailure> meeting_failure_;
  State state_ = State::connecting;
  mqtt::TimePoint opened_{};
  mqtt::TimePoint start_{};
  std::optional<std::size_t> second_;  // that is under way
  mqtt::TimePoint progress_at_{};      // the next line
  mqtt::TimePoint moved_at_{};         // when the counts last changed
  std::uint64_t moved_ = 0;            // what they were
  WallTime started_;
  WallTime ended_;
};

}  // namespace mq::bench
