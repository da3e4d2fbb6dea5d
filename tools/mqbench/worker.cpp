#include "mqbench/worker.hpp"

#include <malloc.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "common/sentences.hpp"
#include "mqbench/operations.hpp"

namespace mq::bench {
namespace {

using mqtt::Duration;
using mqtt::TimePoint;

/// How often a worker looks what it is told, and tells how far it is.
constexpr Duration tick_interval = std::chrono::milliseconds{20};
/// A timer of the loop is late by a millisecond, and a turn may take as long.
constexpr Duration tick_tolerance = std::chrono::milliseconds{2};
/// Messages of a schedule in one turn. Each may be another connection's, and leaves at the turn's end: so
/// many writes take some 40 us, by which the first is later than its stamp says.
constexpr int scheduled_max = 16;
/// Between two wake-ups of a schedule, at least: what falls due meanwhile leaves together. It is a tenth of
/// the lag that the verdict always allows and about what the kernel is late anyway; below 10,000 messages per
/// second and worker it changes nothing.
constexpr Duration slot = std::chrono::microseconds{100};
/// --spin: how long before a message is due the kernel is to wake us.
constexpr Duration spin_lead = std::chrono::microseconds{100};
/// Connections of a worker that are asked for what the kernel has counted.
constexpr std::size_t segments_asked_max = 10'000;
/// Messages of one publisher that is as fast as it can be, in one turn and write.
constexpr int batch_max = 256;
/// Of these so many share a reading of the clock, which would be a tenth of what they cost. They are made
/// within some 4 us, and the turn's write that sends them comes later than that.
constexpr int messages_per_reading = 16;

Duration thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

/// Of a client that was there: that it could not connect is half of it.
SetupFailure told_of_return(SetupFailure failure, const mqtt::Ending& ending) {
  if (!ending.had_connected || ending.was_connected) return failure;
  failure.sentence.text.insert(0, "a client that had been connected did not come back: ");
  if (ending.kind != mqtt::Ending::Kind::refused) failure.code = ExitCode::connection_lost;
  return failure;
}

}  // namespace

Worker::Worker(const Plan& plan, unsigned index, unsigned threads, std::vector<BrokerSetup> brokers,
               const Control& control)
    : plan_{plan}, index_{index}, threads_{threads}, brokers_{std::move(brokers)}, control_{control} {}

Worker::~Worker() = default;

void Worker::run() {
  prctl(PR_SET_TIMERSLACK, 1UL);  // of this thread, in ns: by default the kernel may be 50 us late
  loop_ = std::make_unique<mqtt::net::Loop>();
  around_ = std::make_unique<Surroundings>(
      Surroundings{.loop = *loop_,
                   .plan = plan_,
                   .measurements = result_.measurements,
                   .seconds = seconds_,
                   .kinds = all_kinds(),
                   .payloads = {plan_, index_},
                   .seen = SeenMessages{plan_.scenario.shares_out() ? plan_.scenario.streams() : 0},
                   .keeps_sessions = brokers_.front().setup.ends_session});
  auto timer = PreciseTimer::open(*loop_, [this] { pump(); });
  if (!timer) return fail({ExitCode::internal, timer.error().context});
  due_timer_ = std::move(*timer);
  tick_timer_ = std::make_unique<mqtt::net::Timer>(*loop_, [this] { tick(); });
  more_ = std::make_unique<mqtt::net::TurnEnd>(*loop_, [this] { pump(); });
  make_clients();
  opened_ = ticked_ = loop_->refresh_now();
  tick();
  loop_->run();
  seconds_.end();
}

/// Subscribers connect first. Client n of the run belongs to worker n modulo threads, and so does publisher
/// n; the threads of all shards are counted for that, those of one in its turn.
void Worker::make_clients() {
  const Scenario& scenario = plan_.scenario;
  ClientOwner& owner = *this;
  for (std::uint32_t n = index_; n < scenario.subscribers; n += threads_) {
    subscribers_.push_back(make_subscriber(*around_, owner, n));
    clients_.push_back(subscribers_.back().get());
  }
  for (std::uint32_t n = index_; n < scenario.publishers; n += threads_) {
    publishers_.push_back(make_publisher(*around_, owner, n));
    clients_.push_back(publishers_.back().get());
  }
}

/// Who looks for its messages every tick, and comes late to most, has no time: whatever else is full then is
/// so because of that.
void Worker::note_absence() {
  if (!started_ || !tick_due_ || result_.elapsed != Duration::zero()) return;
  result_.absent += std::max(Duration::zero(), loop_->now() - *tick_due_ - tick_tolerance);
}

/// Who cannot read as fast as bytes come measures itself.
void Worker::note_unread() {
  const bool grown = std::exchange(unread_turns_, loop_->unread_turns()) != loop_->unread_turns();
  const Duration since = loop_->now() - std::exchange(ticked_, loop_->now());
  if (grown && started_ && result_.elapsed == Duration::zero()) result_.unread += since;
}

void Worker::tick() {
  loop_->refresh_now();
  note_absence();
  note_unread();
  if (control_.finish.load(std::memory_order_acquire)) return finish();
  if (!started_ && control_.start_ns.load(std::memory_order_acquire) != 0) begin();
  connect_due();
  if (control_.bring_back.load(std::memory_order_acquire)) bring_back_due();
  pause_slow();
  if (control_.stop.load(std::memory_order_relaxed) || flat_out_is_over()) stop_publishing();
  report();
  tick_due_ = loop_->now() + tick_interval;
  tick_timer_->set(tick_due_);
}

/// An open loop ends by its schedule, and one with a count by that.
bool Worker::flat_out_is_over() const {
  const Scenario& scenario = plan_.scenario;
  return started_ && !scenario.open_loop() && scenario.count == 0 &&
         loop_->now() >= around_->start + scenario.length();
}

void Worker::connect_due() {
  const double elapsed = std::chrono::duration<double>{loop_->now() - opened_}.count();
  const double due = elapsed * plan_.scenario.ramp;
  while (begun_ < clients_.size() && clients_[begun_]->number_of_all() <= due) {
    const bool subscribes = begun_ < subscribers_.size();
    const bool waits =
        subscribes ? plan_.scenario.stored == Stored::retained : plan_.scenario.publishers_wait();
    BenchClient& client = *clients_[begun_++];
    if (!waits) {
      client.connect();
      continue;
    }
    ++ready_;
    ++away_;
  }
}

/// Subscribers that were away come as fast as the others have connected.
void Worker::bring_back_due() {
  if (!back_from_) back_from_ = result_.measurements.came_back = loop_->now();
  const double due = std::chrono::duration<double>{loop_->now() - *back_from_}.count() * plan_.scenario.ramp;
  for (; returned_ < subscribers_.size() && subscribers_[returned_]->number() <= due; ++returned_) {
    std::unique_ptr<BenchSubscriber>& subscriber = subscribers_[returned_];
    const std::uint32_t number = subscriber->number();
    if (plan_.scenario.stored == Stored::queued) {
      ClientOwner& owner = *this;
      subscriber = std::make_unique<BenchSubscriber>(
          *around_, owner, around_->kinds[plan_.brokers.of_subscriber(number)].returning, number);
      clients_[returned_] = subscriber.get();
    }
    subscriber->expect_kept(plan_.scenario.share_of(number));
    subscriber->connect();
    --away_;
  }
}

void Worker::pause_slow() {
  if (plan_.scenario.slow == 0 || !started_ || slow_paused_ || stopped_) return;
  if (loop_->now() < around_->start + plan_.scenario.slow_from()) return;
  slow_paused_ = true;
  for (const auto& each : subscribers_)
    if (each->number() < plan_.scenario.slow) each->client().pause_reading();
}

/// What the broker has kept for them still comes.
void Worker::resume_slow() {
  if (!std::exchange(slow_paused_, false)) return;
  stopped_ = true;
  for (const auto& each : subscribers_)
    if (each->number() < plan_.scenario.slow) each->client().resume_reading();
}

void Worker::on_ready() {
  if (started_) return;
  ++ready_;
  // What handshakes took lies between what stays: a quarter of the memory of idle connections over TLS.
  if (ready_ == clients_.size()) malloc_trim(0);
}

void Worker::begin() {
  started_ = true;
  around_->start = TimePoint{Duration{control_.start_ns.load(std::memory_order_acquire)}};
  around_->clock_offset = Duration{control_.clock_offset_ns.load(std::memory_order_relaxed)};
  cpu_at_start_ = thread_cpu();
  segments_at_start_ = count_segments();
  note_agreed();
  due_.reserve(publishers_.size());
  for (const auto& each : publishers_) {
    if (each->done()) continue;
    if (plan_.scenario.open_loop())
      due_.push({each->next(), each->number()});
    else
      with_room_.push_back(each->number());
  }
  if (plan_.scenario.open_loop())
    arm();
  else
    due_timer_->set(around_->start);
}

/// Before the first message.
std::optional<std::size_t> Worker::window_in_effect() const {
  if (publishers_.empty() || plan_.scenario.publish_qos == mqtt::QoS::at_most_once) return std::nullopt;
  return publishers_.front()->client().session().send_quota();
}

void Worker::note_agreed() {
  const auto last = std::ranges::find_if(clients_.rbegin(), clients_.rend(),
                                         [](BenchClient* each) { return each->client().connected(); });
  if (last == clients_.rend() || !result_.agreed.peer.empty()) return;
  mqtt::Client& client = (*last)->client();
  const auto tls = client.stream_properties();
  result_.agreed = {.version = client.session().version(),
                    .receive_maximum = client.session().limits().receive_maximum,
                    .window = window_in_effect(),
                    .maximum_packet_size = client.session().limits().maximum_packet_size,
                    .peer = client.peer(),
                    .tls_version = tls.tls_version,
                    .tls_cipher = tls.tls_cipher};
}

void Worker::pump() {
  if (!started_ || stopped_ || finishing_) return;
  ++around_->batch;
  return plan_.scenario.open_loop() ? pump_schedule() : pump_flat_out();
}

/// Sends what is due. Who has no room comes back by on_room(), and is then as late as its due time says.
void Worker::pump_schedule() {
  for (const std::uint32_t number : std::exchange(with_room_, {}))
    due_.push({publisher(number).next(), number});
  const Duration now = spin_until_due();
  const std::uint64_t sent_before = result_.measurements.sent;
  for (int n = 0; n < scheduled_max && !due_.empty() && due_.first().due <= now; ++n) {
    const DueQueue::Entry entry = due_.first();
    due_.pop();
    BenchPublisher& from = publisher(entry.publisher);
    if (!from.find_room()) {
      ++result_.measurements.held;
      continue;
    }
    away_ -= plan_.scenario.publishers_wait();
    from.publish(around_->start + entry.due);
    if (!from.done()) due_.push({from.next(), entry.publisher});
  }
  if (result_.measurements.sent > sent_before) ++result_.measurements.sending_turns;
  arm();
}

/// Since the start. With --spin the kernel wakes us too early, and the rest is waited for here.
Duration Worker::spin_until_due() {
  woken_ = loop_->refresh_now();
  if (!plan_.scenario.spin || due_.empty()) return woken_ - around_->start;
  const TimePoint due = around_->start + due_.first().due;
  while (woken_ < due && due - woken_ <= spin_lead) woken_ = loop_->refresh_now();
  return woken_ - around_->start;
}

void Worker::pump_flat_out() {
  for (const std::uint32_t number : std::exchange(with_room_, {})) send_batch(publisher(number));
  // Those who have been cut short go on in the next turn.
  if (!with_room_.empty()) due_timer_->set(around_->start);
}

void Worker::send_batch(BenchPublisher& from) {
  for (int n = 0; n < batch_max; ++n) {
    if (status_.failed.load(std::memory_order_relaxed) || from.done() || !from.find_room()) return;
    away_ -= plan_.scenario.publishers_wait();
    from.publish(n % messages_per_reading == 0 ? loop_->refresh_now() : loop_->now());
  }
  if (!from.done()) with_room_.push_back(from.number());
}

void Worker::arm() {
  if (due_.empty()) return due_timer_->set(std::nullopt);
  const TimePoint due = around_->start + due_.first().due;
  if (plan_.scenario.spin) return due_timer_->set(due - spin_lead);
  due_timer_->set(due <= woken_ ? due
                                : std::max(due, woken_ + slot));  // what is due by now has waited already
}

void Worker::on_room(std::uint32_t number) {
  if (stopped_ || finishing_) return;
  with_room_.push_back(number);
  more_->request();
}

void Worker::stop_publishing() {
  if (std::exchange(stopped_, true)) return;
  due_ = {};
  with_room_.clear();
  due_timer_->set(std::nullopt);
}

void Worker::report() {
  std::uint64_t expected = 0;
  bool all_sent = started_;
  for (const auto& each : publishers_) {
    expected += each->expected();
    const bool over = (stopped_ || each->done()) && each->in_flight() == 0;
    all_sent = all_sent && (over || each->gone());
  }
  if (started_) seconds_.turn(loop_->now() - around_->start);
  report_errors();
  const std::uint32_t connected = ready_ - std::min(left_ + lost_, ready_);
  status_.ready.store(started_ ? ready_ : connected, std::memory_order_relaxed);
  status_.connected.store(connected, std::memory_order_relaxed);
  status_.sent.store(result_.measurements.sent, std::memory_order_relaxed);
  status_.expected.store(expected, std::memory_order_relaxed);
  status_.distinct.store(distinct(), std::memory_order_relaxed);
  status_.all_sent.store(all_sent, std::memory_order_release);
  if (!all_sent) return;
  close_account();
  resume_slow();
}

void Worker::report_errors() {
  const Measurements& m = result_.measurements;
  std::map<std::string, std::uint64_t> errors = m.refusals;
  const auto note = [&errors](const char* reason, std::uint64_t count) {
    if (count > 0) errors[reason] = count;
  };
  note("connection lost", m.connections_lost);
  note("duplicated", m.duplicated);
  note("out of order", m.reordered);
  note("damaged", m.corrupted);
  if (m.refusals.empty()) note("rejected", m.rejected);
  const std::scoped_lock lock{errors_mutex_};
  errors_ = std::move(errors);
}

std::map<std::string, std::uint64_t> Worker::errors() const {
  const std::scoped_lock lock{errors_mutex_};
  return errors_;
}

/// What comes after, the wait for the last deliveries, is no work.
void Worker::close_account() {
  if (!started_ || result_.elapsed != Duration::zero()) return;
  result_.cpu = thread_cpu() - cpu_at_start_;
  for (const auto& each : publishers_)
    result_.measurements.unsent_bytes += each->client().unsent() + each->client().unacknowledged_bytes();
  result_.elapsed = loop_->now() - around_->start;
  // A connection that has gone meanwhile takes its counts along.
  const auto grown = [](std::uint64_t from, std::uint64_t to) { return to > from ? to - from : 0; };
  const mqtt::net::SegmentCounts now = count_segments();
  result_.segments = {.sent = grown(segments_at_start_.sent, now.sent),
                      .resent = grown(segments_at_start_.resent, now.resent)};
}

/// The kernel's counts of the clients' connections. To ask takes a microsecond: of very many, a sample is
/// asked.
mqtt::net::SegmentCounts Worker::count_segments() const {
  mqtt::net::SegmentCounts sum;
  const std::size_t step = clients_.size() / segments_asked_max + 1;
  for (std::size_t n = 0; n < clients_.size(); n += step) {
    const auto own = clients_[n]->client().segments().value_or(mqtt::net::SegmentCounts{});
    sum.sent += own.sent;
    sum.resent += own.resent;
  }
  return sum;
}

std::uint64_t Worker::distinct() const {
  std::uint64_t sum = 0;
  for (const auto& subscriber : subscribers_) sum += subscriber->distinct();
  for (const auto& publisher : publishers_) sum += publisher->complete();
  return sum;
}

void Worker::on_filter_refused(const std::string& filter, mqtt::ReasonCode code) {
  fail({ExitCode::subscribe_refused, subscription_refused(filter, code, {})});
}

void Worker::on_cannot_publish(const std::string& topic, const mqtt::Error& error) {
  fail({ExitCode::publish_rejected, cannot_publish(topic, error)});
}

void Worker::on_gone(const mqtt::Ending& ending, std::uint32_t client, bool asked_for) {
  const bool awaited = asked_for && !started_ && !finishing_ && plan_.scenario.stored == Stored::queued;
  if (awaited) return void((++ready_, ++away_));
  ++gone_;
  left_ += asked_for;
  if (!asked_for) {
    if (!started_) status_.failed.store(true, std::memory_order_release);
    if (!result_.failure) result_.failure = failure_of(ending, client);
  }
  if (finishing_ && gone_ + away_ >= begun_) loop_->stop();
}

void Worker::on_away(const mqtt::Ending& ending) {
  ++lost_;
  result_.presence.note(loop_->now(), -1);
  if (started_) result_.measurements.connections_lost += ending.had_connected;
}

void Worker::on_still_away(const mqtt::Ending& ending, std::uint32_t client) {
  last_failed_ = {ending, client};
}

void Worker::on_back() {
  --lost_;
  result_.presence.note(loop_->now(), 1);
}

SetupFailure Worker::failure_of(const mqtt::Ending& ending, std::uint32_t client) const {
  Where where = brokers_[plan_.broker_of(client)].where;
  where.client_id = plan_.client_id_of(client);
  return told_of_return({exit_code_for(ending), describe(ending, where)}, ending);
}

void Worker::fail(SetupFailure failure) {
  if (!result_.failure) result_.failure = std::move(failure);
  status_.failed.store(true, std::memory_order_release);
}

void Worker::finish() {
  report();
  finishing_ = true;
  due_timer_->set(std::nullopt);
  close_account();
  if (lost_ > 0 && last_failed_ && !result_.failure)
    result_.failure = failure_of(last_failed_->first, last_failed_->second);
  const bool cut_short = control_.stop.load(std::memory_order_relaxed);
  Measurements& m = result_.measurements;
  result_.deliverable.resize(plan_.scenario.streams());
  for (const auto& each : publishers_) {
    for (std::uint32_t n = each->number(); n < plan_.scenario.streams(); n += plan_.scenario.publishers)
      result_.deliverable[n] = each->deliverable_of(n);
    m.expected += each->expected();
    m.unacked += each->in_flight();
    if (started_ && plan_.scenario.open_loop() && !cut_short) m.unsent += each->skip_rest();
  }
  note_agreed();
  if (gone_ + away_ >= begun_) return loop_->stop();
  if (plan_.scenario.stored == Stored::retained)
    for (const auto& each : publishers_) each->clear_retained();
  for (std::size_t n = 0; n < begun_; ++n) clients_[n]->leave();
}

void Worker::judge_losses(const std::vector<std::uint64_t>& deliverable) {
  Measurements& m = result_.measurements;
  for (const auto& each : subscribers_)
    (each->number() < plan_.scenario.slow ? m.slow_lost : m.lost) += each->lost_of(deliverable);
  for (const auto& each : publishers_) m.lost += each->lost_of(deliverable);
}

}  // namespace mq::bench
