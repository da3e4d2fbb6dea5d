#include "mqbench/rendezvous.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <mqtt/util/text.hpp>

namespace mq::bench {
namespace {

using mqtt::Duration;
using mqtt::TimePoint;

constexpr Duration hello_interval = std::chrono::milliseconds{250};
constexpr Duration report_interval = std::chrono::milliseconds{200};
/// A question that was not answered until then is asked anew.
constexpr Duration answer_time = std::chrono::seconds{1};
/// For the end of a run, when nobody has anything to do but to tell his counts.
constexpr Duration settling_time = std::chrono::seconds{30};
/// Numbers in a message with counts: with ten digits each, 11 KiB.
constexpr std::size_t counts_in_message = 1'000;
/// 36 years: differences of such times are no overflow.
constexpr std::int64_t time_max = std::int64_t{1} << 60;

bool is_time(std::int64_t nanoseconds) { return nanoseconds >= -time_max && nanoseconds <= time_max; }

TimePoint as_time(std::int64_t nanoseconds) { return TimePoint{Duration{nanoseconds}}; }

std::string counted(std::size_t missing, const Shard& shard) {
  return fmt::format("{} of {} shards {}", missing, shard.count, missing == 1 ? "has" : "have");
}

}  // namespace

Rendezvous::Rendezvous(RendezvousConfig config)
    : config_{std::move(config)},
      members_(leads() ? config_.shard.count : 0),
      counts_(config_.streams),
      known_(config_.streams),
      unknown_{config_.streams} {}

void Rendezvous::send(std::optional<std::uint32_t> to, Kind kind, std::vector<std::int64_t> numbers) {
  const bool probe = kind == Kind::ping || kind == Kind::pong;
  output_.push_back({to, to_text({kind, config_.shard.index, config_.nonce, std::move(numbers)}), probe});
}

Rendezvous::Outgoing Rendezvous::last_words() const {
  const RendezvousMessage gone{Kind::gone, config_.shard.index, config_.nonce};
  return {leads() ? std::nullopt : std::optional{0U}, to_text(gone)};
}

std::optional<std::uint32_t> Rendezvous::run() const {
  return phase_ > Phase::gathering && phase_ != Phase::failed ? std::optional{config_.run} : std::nullopt;
}

void Rendezvous::await(TimePoint now) { patience_end_ = now + config_.patience; }

void Rendezvous::open(TimePoint now) {
  phase_ = Phase::gathering;
  await(now);
  on_time(now);
  if (leads()) go_on(now);
}

void Rendezvous::receive(TimePoint now, std::string_view text) {
  const auto message = parse_rendezvous_message(text);
  if (!message || message->nonce == config_.nonce || phase_ == Phase::idle || failure_ || over()) return;
  leads() ? lead(now, *message) : follow(now, *message);
}

void Rendezvous::follow(TimePoint now, const RendezvousMessage& message) {
  if (message.sender != 0) return;
  if (phase_ == Phase::gathering && (message.kind == Kind::roll || message.kind == Kind::begin))
    note_leader(message);
  if (message.kind == Kind::refused) return on_refused(message);
  if (message.nonce != leader_) return;
  if (message.kind == Kind::ended) return on_ended(message);
  switch (message.kind) {
    case Kind::sync:
      if (phase_ == Phase::connecting && ready_) phase_ = Phase::syncing, ask_clock(now);
      return;
    case Kind::pong: return on_pong(now, message);
    case Kind::start:
      if (phase_ == Phase::syncing && estimate_.samples() >= clock_samples && is_time(message.numbers[0])) {
        phase_ = Phase::running;
        start_ = as_time(message.numbers[0]) - clock_.offset;
        wall_start_ = Duration{message.numbers[1]};
      }
      return;
    case Kind::stop: stop_asked_ = true; return;
    case Kind::finish: finish_asked_ = true; return;
    case Kind::counts: return note_counts(message);
    case Kind::over:
      if (!ended_account_) return;
      worst_error_ = Duration{std::clamp<std::int64_t>(message.numbers[0], 0, time_max)};
      phase_ = Phase::over;
      return;
    case Kind::lost:
      return fail({ExitCode::connection_lost, fmt::format("{}: shard {}/{} has gone", of_run(),
                                                          message.numbers[0] + 1, config_.shard.count)});
    case Kind::gone:
      if (phase_ == Phase::gathering) return roll_.clear(), leader_.reset();
      return fail(
          {ExitCode::connection_lost, fmt::format("{}: shard 1/{} has gone", of_run(), config_.shard.count)});
    default: return;
  }
}

/// A leader that was started anew is another one.
void Rendezvous::note_leader(const RendezvousMessage& message) {
  leader_ = message.nonce;
  if (message.kind == Kind::roll) {
    roll_ = message.numbers;
    return;
  }
  if (message.numbers[0] < 0 || message.numbers[0] > 0xFF'FFFF) return;
  config_.run = static_cast<std::uint32_t>(message.numbers[0]);
  phase_ = Phase::connecting;
  again_.reset();
}

/// By whichever leader, of two.
void Rendezvous::on_refused(const RendezvousMessage& message) {
  if (static_cast<std::uint64_t>(message.numbers[0]) != config_.nonce || start_) return;
  const auto why = static_cast<Refusal>(std::clamp<std::int64_t>(message.numbers[1], 0, 2));
  if (why == Refusal::other_count)
    return fail({ExitCode::usage, fmt::format("{}: the first shard has another count than {}", of_run(),
                                              config_.shard.count)});
  if (why == Refusal::other_scenario)
    return fail({ExitCode::usage, fmt::format("{}: the first shard has another scenario", of_run())});
  fail({ExitCode::usage,
        fmt::format("{}: another process is shard {} of it already", of_run(), config_.shard.name())});
}

void Rendezvous::on_ended(const RendezvousMessage& message) {
  fail({ExitCode::deadline,
        absence(message.numbers, fmt::format("while shard 1/{} waited", config_.shard.count))});
}

void Rendezvous::ask_clock(TimePoint now) {
  again_ = now + answer_time;
  asked_ = now;
  send(0, Kind::ping, {++question_, now.time_since_epoch().count()});
}

void Rendezvous::on_pong(TimePoint now, const RendezvousMessage& message) {
  const bool waits = phase_ == Phase::syncing || phase_ == Phase::settling;
  if (!waits || estimate_.samples() >= clock_samples || message.numbers[0] != question_ ||
      !is_time(message.numbers[2]) || !is_time(message.numbers[3]))
    return;
  const std::uint32_t before = estimate_.samples();
  estimate_.add({asked_, as_time(message.numbers[2]), as_time(message.numbers[3]), now});
  if (estimate_.samples() == before) return;  // nonsense: asked again, but not at once
  if (estimate_.samples() < clock_samples) return ask_clock(now);
  again_.reset();
  clock_known();
}

/// Before the run it is what the run goes by; after it, it bounds how far the clocks have gone apart.
void Rendezvous::clock_known() {
  const ClockOffset found = *estimate_.best();
  if (phase_ == Phase::settling) {
    clock_.error = error_until(clock_, found);
    return finish_account();
  }
  clock_ = found;
  send(0, Kind::synced, {found.offset.count(), found.error.count()});
}

void Rendezvous::ready(TimePoint now) {
  if (phase_ != Phase::connecting || std::exchange(ready_, true)) return;
  leads() ? go_on(now) : send(0, Kind::ready);
}

void Rendezvous::report(TimePoint now, const Progress& own) {
  own_ = own;
  if (leads() || phase_ != Phase::running || (report_at_ && now < *report_at_)) return;
  report_at_ = now + report_interval;
  send(0, Kind::report,
       {static_cast<std::int64_t>(own.sent), static_cast<std::int64_t>(own.expected),
        static_cast<std::int64_t>(own.distinct), own.all_sent ? 1 : 0});
}

void Rendezvous::stop() {
  if (std::exchange(stop_asked_, true)) return;
  leads() ? send(std::nullopt, Kind::stop) : send(0, Kind::stop);
}

void Rendezvous::finish() {
  if (!leads() || std::exchange(finish_asked_, true)) return;
  send(std::nullopt, Kind::finish);
}

void Rendezvous::settle(TimePoint now, const std::vector<std::uint64_t>& sent) {
  if (phase_ != Phase::running) return;
  phase_ = Phase::settling;
  patience_end_ = now + settling_time;
  const std::uint32_t own = config_.shard.index;
  for (std::uint64_t stream = next_of(own, 0); stream < counts_.size();) {
    RendezvousMessage message{Kind::counts, own, config_.nonce, {static_cast<std::int64_t>(stream)}};
    for (; stream < counts_.size() && message.numbers.size() <= counts_in_message;
         stream = next_of(own, stream + 1))
      message.numbers.push_back(static_cast<std::int64_t>(sent[stream]));
    note_counts(message);
    leads() ? pass_on(message) : send(0, Kind::counts, message.numbers);
  }
  estimate_ = {};
  leads() ? go_on(now) : ask_clock(now);
}

std::uint32_t Rendezvous::owner_of(std::uint64_t stream) const {
  return static_cast<std::uint32_t>(stream % config_.publishers % config_.shard.count);
}

/// The first of its streams that is not before `from`; of no more, the end.
std::uint64_t Rendezvous::next_of(std::uint32_t owner, std::uint64_t from) const {
  while (from < counts_.size() && owner_of(from) != owner) ++from;
  return from;
}

void Rendezvous::note_counts(const RendezvousMessage& message) {
  auto stream = static_cast<std::uint64_t>(message.numbers[0]);
  const std::uint32_t owner = stream < counts_.size() ? owner_of(stream) : 0;
  for (std::size_t n = 1; n < message.numbers.size() && stream < counts_.size(); ++n) {
    if (message.numbers[n] >= 0 && !known_[stream]) {
      counts_[stream] = static_cast<std::uint64_t>(message.numbers[n]);
      known_[stream] = true;
      --unknown_;
    }
    stream = next_of(owner, stream + 1);
  }
  if (!leads()) finish_account();
}

void Rendezvous::finish_account() {
  if (phase_ != Phase::settling || unknown_ > 0 || estimate_.samples() < clock_samples ||
      std::exchange(ended_account_, true))
    return;
  send(0, Kind::done, {clock_.error.count()});
}

void Rendezvous::fail(RendezvousFailure failure) {
  if (failure_ || over()) return;
  failure_ = std::move(failure);
  phase_ = Phase::failed;
  patience_end_.reset();
  again_.reset();
}

void Rendezvous::on_time(TimePoint now) {
  const bool waits = phase_ <= Phase::gathering || phase_ == Phase::settling;
  if (waits && patience_end_ && now >= *patience_end_) return give_up_waiting();
  if (again_ && now < *again_) return;
  if (phase_ == Phase::syncing || phase_ == Phase::settling) {
    if (again_) ask_clock(now);
    return;
  }
  if (phase_ != Phase::gathering) return;
  again_ = now + hello_interval;
  if (leads()) return call_roll();
  send(0, Kind::hello, {config_.shard.count, static_cast<std::int64_t>(config_.scenario)});
}

mqtt::Deadline Rendezvous::next_deadline() const {
  const bool waits = phase_ <= Phase::gathering || phase_ == Phase::settling;
  return waits ? mqtt::earlier(patience_end_, again_) : again_;
}

std::string Rendezvous::of_run() const {
  return fmt::format("run '{}'", mqtt::escape_for_terminal(config_.name));
}

void Rendezvous::give_up_waiting() {
  const Shard& shard = config_.shard;
  if (phase_ == Phase::settling)
    return fail(
        {ExitCode::deadline, fmt::format("{}: the other shards have not told in {} what they have sent",
                                         of_run(), mqtt::format_duration(settling_time))});
  const std::string in_time = mqtt::format_duration(config_.patience);
  if (phase_ == Phase::idle)
    return fail({ExitCode::deadline,
                 fmt::format("the rendezvous: the broker has not let this shard in within {}", in_time)});
  if (!leads() && roll_.empty())
    return fail(
        {ExitCode::deadline, fmt::format("{}: shard 1/{}, for which all others wait, has not come in {}",
                                         of_run(), shard.count, in_time)});
  if (leads()) send(std::nullopt, Kind::ended, missing());
  fail({ExitCode::deadline, absence(leads() ? missing() : roll_, "in " + in_time)});
}

/// `missing`: how many, and the first of them. `how`: "in 60s".
std::string Rendezvous::absence(const std::vector<std::int64_t>& missing, std::string_view how) const {
  std::string names;
  for (std::size_t n = 1; n < missing.size(); ++n)
    names += fmt::format("{}{}/{}", n == 1 ? "" : ", ", missing[n] + 1, config_.shard.count);
  const auto count = static_cast<std::size_t>(missing[0]);
  return fmt::format("{}: {} not come {}: {}{}", of_run(), counted(count, config_.shard), how, names,
                     count + 1 > missing.size() ? ", ..." : "");
}

std::uint32_t Rendezvous::present() const {
  const std::int64_t absent = leads() ? missing()[0] : roll_.empty() ? config_.shard.count - 1 : roll_[0];
  return config_.shard.count -
         static_cast<std::uint32_t>(std::clamp<std::int64_t>(absent, 0, config_.shard.count));
}

}  // namespace mq::bench
