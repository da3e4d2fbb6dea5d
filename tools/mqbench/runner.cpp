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
/// What other shards have told of their counts may be as old as that.
constexpr Duration news_last = std::chrono::seconds{1};

/// What a part of a run says of itself and of the others.
void add_shard(RunResult& result, const Meeting::View& view) {
  // A part without publishers has begun with the others.
  if (!result.measurements.first_due) result.measurements.first_due = result.start;
  result.shard = ShardResult{
      .clock = view.clock, .latency_error = view.clock.error + view.worst_error, .complete = view.over};
}

}  // namespace

Runner::Runner(mqtt::net::Loop& loop, const Plan& plan, const ConnectionConfig& connection,
               const ResultsConfig& results, std::vector<std::vector<BrokerSetup>> setups, Diag& diag,
               Meeting* meeting)
    : plan_{plan},
      connection_{connection},
      diag_{diag},
      meeting_{meeting},
      loop_{loop},
      signals_{loop_, {.on_stop = [this] { on_stop(); }, .on_statistics = [this] { show_progress(); }}},
      timer_{loop_, [this] { look(); }},
      results_{results},
      usage_{results.watched},
      intervals_{setups.size()},
      reporter_{make_progress_reporter(results.progress, loop_, diag)} {
  const auto count = static_cast<unsigned>(setups.size());
  for (unsigned n = 0; n < count; ++n) {
    workers_.push_back(std::make_unique<Worker>(plan, plan.shard.index + n * plan.shard.count,
                                                count * plan.shard.count, std::move(setups[n]), control_));
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
  reporter_->begin(live_state(), loop_.now());
  look();
  loop_.run();
  for (auto& thread : threads_) thread.join();
  if (results_.progress == ProgressMode::json) show_progress();  // the last word
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
  if (state_ == State::finishing || (state_ == State::settling && settled())) return loop_.stop();
  if (loop_.now() >= progress_at_ + progress_interval) {
    show_progress();
    progress_at_ += progress_interval;
  }
  timer_.set(loop_.now() + look_interval);
}

bool Runner::settled() const {
  const Meeting::View view = meeting_->look();
  return view.over || view.failure;
}

void Runner::look_while_connecting() {
  if (any_failed() || meeting_failed() || signals_.stop_signal() != 0) return finish();
  const bool all_ready = sum(&Status::ready) == plan_.clients();
  if (all_ready && !meeting_) return start_at(loop_.now() + start_delay);
  if (all_ready) await_start();
  const Duration ramp{static_cast<Duration::rep>(plan_.scenario.clients() / plan_.scenario.ramp * 1e9)};
  // SUBACK may take as long as CONNACK.
  const Duration patience =
      ramp + 2 * connection_.connect_timeout + (all_ready && meeting_ ? meeting_->patience() : Duration{});
  if (state_ != State::connecting || loop_.now() < opened_ + patience) return;
  diag_.error(all_ready ? "the other shards' clients were not ready in time"
                        : fmt::format("{} of {} clients were connected and subscribed in time",
                                      sum(&Status::ready), plan_.clients()));
  finish();
}

/// Until the other shards are as far.
void Runner::await_start() {
  meeting_->ready(loop_.now());
  const Meeting::View agreed = meeting_->look();
  if (!agreed.start) return;
  control_.clock_offset_ns.store(agreed.clock.offset.count(), std::memory_order_relaxed);
  start_at(*agreed.start);
  started_ = agreed.wall_start;  // all results of a run say the same
}

void Runner::start_at(TimePoint start) {
  state_ = State::running;
  system_ = read_system();
  start_ = moved_at_ = start;
  started_ = Diag::system_clock() + (start - loop_.now());
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
  if (second_) {
    intervals_.add(second, sum(&Status::connected), usage);
    last_usage_ = usage;
  }
  if (const auto fault = usage_.take_fault())
    diag_.warning(fmt::format("the broker is not watched: {}", *fault));
}

void Runner::take_seconds() {
  for (std::size_t n = 0; n < workers_.size(); ++n) intervals_.add(n, workers_[n]->take_seconds());
}

/// Until everything is sent and has come; or nothing moves any more, after the time for publishing, for as
/// long as the drain lasts. Of several shards the first decides that, for all.
void Runner::look_while_running() {
  if (any_failed() || meeting_failed()) return finish();
  const Progress all = progress();
  const std::uint64_t moved = all.sent + all.distinct;
  const bool open_end = plan_.scenario.count > 0;
  if (std::exchange(moved_, moved) != moved) moved_at_ = loop_.now();
  const TimePoint due_end = open_end ? moved_at_ : start_ + plan_.scenario.length();
  if (plan_.scenario.stored != Stored::none && all.all_sent && !control_.bring_back.exchange(true))
    moved_at_ = loop_.now();
  const bool complete = all.all_sent && all.distinct >= all.expected;
  const TimePoint from = control_.stop.load() || all.all_sent ? moved_at_ : std::max(due_end, start_);
  const Duration drain = plan_.scenario.drain + (meeting_ ? news_last : Duration{});
  const bool decides = !meeting_ || meeting_->leads();
  if (decides ? complete || loop_.now() >= from + drain : meeting_->look().finish) finish();
}

/// Of all shards, as far as this one knows.
Progress Runner::progress() {
  const Progress own{sum(&Status::sent), sum(&Status::expected), sum(&Status::distinct), all_sent()};
  if (!meeting_) return own;
  meeting_->report(loop_.now(), own);
  return meeting_->look().total;
}

/// Somebody else has gone, or has asked all to stop.
bool Runner::meeting_failed() {
  if (!meeting_) return false;
  const Meeting::View view = meeting_->look();
  if (view.stop && !control_.stop.load()) on_stop();
  if (view.failure) meeting_failure_ = view.failure;
  return meeting_failure_.has_value();
}

void Runner::on_stop() {
  if (meeting_) meeting_->stop();
  control_.stop.store(true, std::memory_order_release);
  moved_at_ = loop_.now();
  reporter_->give_back();
}

void Runner::finish() {
  if (meeting_) meeting_->finish();
  if (second_) close_second(*second_);
  state_ = State::finishing;
  ended_ = started_ + std::max(loop_.now() - start_, Duration{});
  control_.finish.store(true, std::memory_order_release);
}

void Runner::show_progress() { reporter_->show(live_state(), loop_.now()); }

/// From the common start to when the last message is due; nothing if each is sent when the one before lets
/// it.
std::optional<Duration> Runner::planned() const {
  const Scenario& s = plan_.scenario;
  if (s.count == 0) return s.length();
  if (!s.open_loop()) return std::nullopt;
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>{static_cast<double>(s.count) / s.rate});
}

LiveState Runner::live_state() {
  LiveState state{.scenario = plan_.scenario.name,
                  .clients = plan_.clients(),
                  .ready = sum(&Status::ready),
                  .connections = sum(&Status::connected),
                  .sent = sum(&Status::sent),
                  .received = sum(&Status::distinct),
                  .expected = sum(&Status::expected)};
  for (const auto& worker : workers_)
    for (const auto& [reason, count] : worker->errors()) state.errors[reason] += count;
  if (state_ == State::connecting) return state;
  const bool over = control_.stop.load() || all_sent();
  state.phase = over ? Phase::draining : Phase::running;
  state.elapsed = std::max(Duration{}, loop_.now() - start_);
  if (const auto length = planned())
    state.left = over ? Duration{} : std::max(Duration{}, *length - *state.elapsed);
  state.last_second = intervals_.last();
  if (state.last_second) state.so_far = &intervals_.so_far();
  state.usage = last_usage_;
  return state;
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

/// Tells the others what our streams have sent, and learns what theirs have.
void Runner::settle(std::vector<std::uint64_t>& deliverable) {
  if (any_failed() || meeting_failure_)
    return;  // a connection that was lost is a result, and no failure here
  state_ = State::settling;
  meeting_->settle(loop_.refresh_now(), deliverable);
  look();
  loop_.run();
  if (meeting_->look().over) deliverable = meeting_->counts();
  if (meeting_failed()) tell_failure();
}

/// Only where every subscriber gets something in every second: what comes seldom is not missed.
Service Runner::service() const {
  const Scenario& s = plan_.scenario;
  const double per_second = s.open_loop() ? s.rate / std::max<double>(1, static_cast<double>(s.burst)) : 1e9;
  const auto due = std::chrono::floor<std::chrono::seconds>(s.count > 0 ? Duration{} : s.length()).count();
  return {.start = start_,
          .clients = plan_.clients(),
          .delivers = plan_.shard.part_of(s.subscribers) > 0 && per_second >= 10,
          .due_seconds = control_.stop.load() ? 0 : static_cast<std::size_t>(due)};
}

RunResult Runner::add_up() {
  std::vector<std::uint64_t> deliverable(plan_.scenario.streams());
  for (const auto& worker : workers_) {
    const std::vector<std::uint64_t>& part = worker->result().deliverable;
    for (std::size_t n = 0; n < part.size(); ++n) deliverable[n] += part[n];
  }
  if (meeting_) settle(deliverable);
  RunResult result;
  result.plan = plan_;
  result.broker = plan_.brokers.where(connection_);
  result.started = started_;
  result.start = start_;
  result.ended = ended_;
  result.interrupted = signals_.stop_signal() != 0;
  result.threads = static_cast<unsigned>(workers_.size());
  SeenMessages seen;
  std::vector<Presence> presence;
  for (const auto& worker : workers_) {
    worker->judge_losses(deliverable);
    result.measurements.duplicated += seen.add(worker->seen());
    const WorkerResult& part = worker->result();
    result.measurements.add(part.measurements);
    const auto& changes = part.presence.changes();
    presence.insert(presence.end(), changes.begin(), changes.end());
    result.cpu += part.cpu;
    result.segments.sent += part.segments.sent;
    result.segments.resent += part.segments.resent;
    if (part.elapsed > Duration::zero()) {
      result.busiest = std::max(result.busiest, std::chrono::duration<double>{part.cpu} / part.elapsed);
      result.absent = std::max(result.absent, std::chrono::duration<double>{part.absent} / part.elapsed);
      result.unread = std::max(result.unread, std::chrono::duration<double>{part.unread} / part.elapsed);
    }
    if (!part.agreed.peer.empty()) result.agreed = part.agreed;
  }
  if (meeting_) add_shard(result, meeting_->look());
  if (plan_.scenario.shares_out()) result.measurements.lost += seen.lost_of(deliverable);
  take_seconds();
  result.intervals =
      intervals_.finish(result.measurements.sent_per_second, result.measurements.received_per_second);
  result.outages = find_outages(result.intervals, service(), std::move(presence));
  if (!meeting_ && !plan_.scenario.unstamped())
    judge_outages(result.outages, result.measurements.due_per_second, result.measurements.came_per_second);
  result.machine = this_machine();
  result.activity = between(system_, read_system());
  result.embedded = results_.self;
  result.quick_ack = connection_.quick_ack;
  for (const pid_t pid : results_.watched)
    result.watched.push_back({pid, allowed_processors("/", std::to_string(pid))});
  judge(result);
  if (meeting_failure_) result.notes.push_back(fmt::format("it ended early: {}", meeting_failure_->what));
  return result;
}

std::optional<ExitCode> Runner::failure() const {
  for (const auto& worker : workers_)
    if (worker->result().failure) return worker->result().failure->code;
  return meeting_failure_ ? std::optional{meeting_failure_->code} : std::nullopt;
}

void Runner::tell_failure() const {
  for (const auto& worker : workers_)
    if (worker->result().failure) return diag_.error(worker->result().failure->sentence);
  if (meeting_failure_) diag_.error(meeting_failure_->what);
}

}  // namespace mq::bench
