#include "mqbench/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mq::bench {
namespace {

using mqtt::Duration;
using mqtt::TimePoint;

constexpr Duration look_interval = std::chrono::milliseconds{10};
/// From when the last client is ready to the common start: all workers have looked by then.
constexpr Duration start_delay = std::chrono::milliseconds{100};
constexpr Duration progress_interval = std::chrono::seconds{1};

}  // namespace

Runner::Runner(const Plan& plan, const ConnectionConfig& connection, const ResultsConfig& results,
               std::vector<ClientSetup> setups, Diag& diag)
    : plan_{plan},
      connection_{connection},
      diag_{diag},
      signals_{loop_, {.on_stop = [this] { on_stop(); }, .on_statistics = [this] { show_progress(); }}},
      timer_{loop_, [this] { look(); }},
      usage_{results.watched},
      intervals_{setups.size()} {
  const auto count = static_cast<unsigned>(setups.size());
  for (unsigned n = 0; n < count; ++n) {
    const Where where = where_of(connection, setups[n]);
    workers_.push_back(std::make_unique<Worker>(plan, n, count, std::move(setups[n]), where, control_));
  }
}

Runner::~Runner() {
  control_.finish.store(true, std::memory_order_release);
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::expected<RunResult, ExitCode> Runner::run() {
  opened_ = progress_at_ = loop_.refresh_now();
  for (auto& worker : workers_) threads_.emplace_back([&worker] { worker->run(); });
  look();
  loop_.run();
  for (auto& thread : threads_) thread.join();
  tell_failure();
  if (control_.start_ns.load() == 0) return std::unexpected(failure().value_or(ExitCode::deadline));
  return add_up();
}

void Runner::look() {
  loop_.refresh_now();
  if (state_ == State::connecting) look_while_connecting();
  if (state_ == State::running) {
    follow_seconds();
    look_while_running();
  }
  if (state_ == State::finishing) return loop_.stop();
  if (loop_.now() >= progress_at_ + progress_interval) {
    show_progress();
    progress_at_ += progress_interval;
  }
  timer_.set(loop_.now() + look_interval);
}

void Runner::look_while_connecting() {
  if (any_failed() || signals_.stop_signal() != 0) return finish();
  if (sum(&Status::ready) == plan_.scenario.clients()) return start_together();
  const Duration ramp{static_cast<Duration::rep>(plan_.scenario.clients() / plan_.scenario.ramp * 1e9)};
  // SUBACK may take as long as CONNACK.
  if (loop_.now() < opened_ + ramp + 2 * connection_.connect_timeout) return;
  diag_.error(fmt::format("{} of {} clients were connected and subscribed in time", sum(&Status::ready),
                          plan_.scenario.clients()));
  finish();
}

void Runner::start_together() {
  state_ = State::running;
  start_ = moved_at_ = loop_.now() + start_delay;
  started_ = Diag::system_clock() + start_delay;
  control_.start_ns.store(start_.time_since_epoch().count(), std::memory_order_release);
}

void Runner::follow_seconds() {
  take_seconds();
  if (loop_.now() < start_) return;
  const std::size_t second = PerSecond::second_of(loop_.now() - start_);
  if (second_ == second) return;
  close_second(second == 0 ? 0 : second - 1);
  second_ = second;
}

void Runner::close_second(std::size_t second) {
  const Usage usage = usage_.look(loop_.now());
  if (second_) intervals_.add(second, sum(&Status::connected), usage);
  if (const auto fault = usage_.take_fault())
    diag_.warning(fmt::format("the broker is not watched: {}", *fault));
}

void Runner::take_seconds() {
  for (std::size_t n = 0; n < workers_.size(); ++n) intervals_.add(n, workers_[n]->take_seconds());
}

/// Until everything is sent and has come; or nothing moves any more, after the time for publishing, for as
/// long as the drain lasts.
void Runner::look_while_running() {
  const std::uint64_t moved = sum(&Status::sent) + sum(&Status::distinct);
  const bool open_end = plan_.scenario.count > 0;
  if (std::exchange(moved_, moved) != moved) moved_at_ = loop_.now();
  const TimePoint due_end = open_end ? moved_at_ : start_ + plan_.scenario.length();
  const bool sent = all_sent();
  const bool complete = sent && sum(&Status::distinct) >= sum(&Status::expected);
  const TimePoint from = control_.stop.load() || sent ? moved_at_ : std::max(due_end, start_);
  if (complete || any_failed() || loop_.now() >= from + plan_.scenario.drain) finish();
}

void Runner::on_stop() {
  control_.stop.store(true, std::memory_order_release);
  moved_at_ = loop_.now();
}

void Runner::finish() {
  if (second_) close_second(*second_);
  state_ = State::finishing;
  ended_ = Diag::system_clock();
  control_.finish.store(true, std::memory_order_release);
}

void Runner::show_progress() {
  if (state_ == State::connecting)
    return diag_.info(fmt::format("{} of {} clients ready", sum(&Status::ready), plan_.scenario.clients()));
  const std::uint64_t sent = sum(&Status::sent), received = sum(&Status::distinct);
  const std::uint64_t expected = sum(&Status::expected);
  diag_.info(fmt::format("{} sent (+{}), {} delivered (+{}), {} under way", sent, sent - shown_sent_,
                         received, received - shown_received_, expected - std::min(received, expected)));
  shown_sent_ = sent;
  shown_received_ = received;
}

bool Runner::any_failed() const {
  return std::ranges::any_of(workers_, [](const auto& each) { return each->status().failed.load(); });
}

bool Runner::all_sent() const {
  return std::ranges::all_of(workers_, [](const auto& each) { return each->status().all_sent.load(); });
}

std::uint64_t Runner::sum(std::atomic<std::uint64_t> Status::* count) const {
  std::uint64_t total = 0;
  for (const auto& worker : workers_) total += (worker->status().*count).load(std::memory_order_relaxed);
  return total;
}

std::uint32_t Runner::sum(std::atomic<std::uint32_t> Status::* count) const {
  std::uint32_t total = 0;
  for (const auto& worker : workers_) total += (worker->status().*count).load(std::memory_order_relaxed);
  return total;
}

RunResult Runner::add_up() {
  std::vector<std::uint64_t> deliverable(plan_.scenario.streams());
  for (const auto& worker : workers_)
    for (std::size_t n = 0; n < deliverable.size(); ++n) deliverable[n] += worker->result().deliverable[n];
  RunResult result;
  result.plan = plan_;
  result.broker = connection_.where();
  result.started = started_;
  result.start = start_;
  result.ended = ended_;
  result.interrupted = signals_.stop_signal() != 0;
  result.threads = static_cast<unsigned>(workers_.size());
  for (const auto& worker : workers_) {
    worker->judge_losses(deliverable);
    const WorkerResult& part = worker->result();
    result.measurements.add(part.measurements);
    result.cpu += part.cpu;
    if (part.elapsed > Duration::zero())
      result.busiest = std::max(result.busiest, std::chrono::duration<double>{part.cpu} / part.elapsed);
    if (!part.agreed.peer.empty()) result.agreed = part.agreed;
  }
  take_seconds();
  result.intervals =
      intervals_.finish(result.measurements.sent_per_second, result.measurements.received_per_second);
  result.machine = this_machine();
  judge(result);
  return result;
}

std::optional<ExitCode> Runner::failure() const {
  for (const auto& worker : workers_)
    if (worker->result().failure) return worker->result().failure->code;
  return std::nullopt;
}

void Runner::tell_failure() const {
  for (const auto& worker : workers_)
    if (worker->result().failure) return diag_.error(worker->result().failure->sentence);
}

}  // namespace mq::bench
