#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mqbench/rendezvous.hpp"

namespace mq::bench {
namespace {

using mqtt::Duration;
using mqtt::TimePoint;

/// From the word to the start itself: it must have come to everybody.
constexpr Duration start_notice = std::chrono::milliseconds{500};
/// As long as a message takes, by what the clocks' errors tell, four times.
constexpr int word_delay_in_errors = 8;
/// Who has not said hello for so long in the beginning is not there any more, even if the broker tells
/// nobody. Longer than one and a half of the keep-alive, after which a broker does: until then it may be that
/// the process, or its machine, has had no time.
constexpr Duration hello_lasts = std::chrono::seconds{20};
constexpr std::size_t missing_max = 16;
constexpr std::int64_t start_time_max = std::int64_t{1} << 60;

std::uint64_t natural(std::int64_t number) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0));
}

}  // namespace

void Rendezvous::lead(TimePoint now, const RendezvousMessage& message) {
  if (message.kind == Kind::hello) return on_hello(now, message);
  if (message.sender == 0) return on_other_leader(message);
  if (message.sender >= members_.size() || members_[message.sender].nonce != message.nonce) return;
  Member& member = members_[message.sender];
  switch (message.kind) {
    case Kind::ready: member.ready = true; break;
    case Kind::ping: return answer(now, message);
    case Kind::synced: note_synced(member, message); break;
    case Kind::report: return note_report(member, message);
    case Kind::stop: return stop();
    case Kind::counts:
      note_counts(message);
      pass_on(message);
      break;
    case Kind::done: note_done(member, message); break;
    case Kind::gone: return on_gone(message);
    default: return;
  }
  go_on(now);
}

void Rendezvous::on_hello(TimePoint now, const RendezvousMessage& message) {
  const auto refuse = [&](Refusal why) {
    send(message.sender, Kind::refused,
         {static_cast<std::int64_t>(message.nonce), static_cast<std::int64_t>(std::to_underlying(why))});
  };
  if (message.sender == 0) return;
  if (message.numbers[0] != config_.shard.count || message.sender >= members_.size())
    return refuse(Refusal::other_count);
  Member& member = members_[message.sender];
  if (member.nonce == message.nonce) {
    member.heard = now;
    return;
  }
  const bool there = member.nonce && (phase_ != Phase::gathering || now < member.heard + hello_lasts);
  if (there) return refuse(Refusal::taken);
  if (static_cast<std::uint64_t>(message.numbers[1]) != config_.scenario)
    return refuse(Refusal::other_scenario);
  member = {};
  member.nonce = message.nonce;
  member.heard = now;
  go_on(now);
}

/// Of two that gather, both give up; one that has begun calls no roll, and goes on.
void Rendezvous::on_other_leader(const RendezvousMessage& message) {
  if (message.kind == Kind::refused) return on_refused(message);
  if (message.kind != Kind::roll) return;
  send(0, Kind::refused, {static_cast<std::int64_t>(message.nonce), std::to_underlying(Refusal::taken)});
}

void Rendezvous::on_gone(const RendezvousMessage& message) {
  if (phase_ == Phase::gathering) {
    members_[message.sender] = {};
    return;
  }
  send(std::nullopt, Kind::lost, {message.sender});
  fail({ExitCode::connection_lost,
        fmt::format("{}: shard {}/{} has gone", of_run(), message.sender + 1, config_.shard.count)});
}

void Rendezvous::answer(TimePoint now, const RendezvousMessage& ping) {
  const std::int64_t time = now.time_since_epoch().count();
  send(ping.sender, Kind::pong, {ping.numbers[0], ping.numbers[1], time, time});
}

void Rendezvous::note_report(Member& member, const RendezvousMessage& message) {
  const auto& n = message.numbers;
  member.progress = {natural(n[0]), natural(n[1]), natural(n[2]), n[3] != 0};
}

void Rendezvous::note_synced(Member& member, const RendezvousMessage& message) {
  member.clock = {Duration{std::clamp(message.numbers[0], -start_time_max, start_time_max)},
                  Duration{std::clamp<std::int64_t>(message.numbers[1], 0, start_time_max)}};
  member.synced = true;
}

void Rendezvous::note_done(Member& member, const RendezvousMessage& message) {
  member.done = true;
  worst_error_ =
      std::max(worst_error_, Duration{std::clamp<std::int64_t>(message.numbers[0], 0, start_time_max)});
}

void Rendezvous::pass_on(const RendezvousMessage& message) {
  send(std::nullopt, Kind::counts, message.numbers);
}

bool Rendezvous::all(bool Member::* flag) const {
  return std::all_of(members_.begin() + 1, members_.end(), [flag](const Member& each) { return each.*flag; });
}

/// How many, and the first of them.
std::vector<std::int64_t> Rendezvous::missing() const {
  std::vector<std::int64_t> list{0};
  for (std::size_t n = 1; n < members_.size(); ++n) {
    if (members_[n].nonce) continue;
    ++list[0];
    if (list.size() <= missing_max) list.push_back(static_cast<std::int64_t>(n));
  }
  return list;
}

void Rendezvous::call_roll() { send(std::nullopt, Kind::roll, missing()); }

/// To the next phase, when everybody is there.
void Rendezvous::go_on(TimePoint now) {
  if (phase_ == Phase::gathering && missing()[0] == 0) {
    phase_ = Phase::connecting;
    again_.reset();
    send(std::nullopt, Kind::begin, {config_.run});
  }
  if (phase_ == Phase::connecting && ready_ && all(&Member::ready)) {
    phase_ = Phase::syncing;
    send(std::nullopt, Kind::sync);
  }
  if (phase_ == Phase::syncing && all(&Member::synced)) {
    Duration delay = start_notice;
    for (const Member& each : members_)
      delay = std::max(delay,
                       std::min(each.clock.error, Duration{std::chrono::seconds{5}}) * word_delay_in_errors);
    phase_ = Phase::running;
    start_ = now + delay;
    wall_start_ = start_->time_since_epoch() + config_.to_time_of_day;
    send(std::nullopt, Kind::start, {start_->time_since_epoch().count(), wall_start_.count()});
  }
  if (phase_ == Phase::settling && unknown_ == 0 && all(&Member::done)) {
    phase_ = Phase::over;
    send(std::nullopt, Kind::over, {worst_error_.count()});
  }
}

Progress Rendezvous::total() const {
  Progress sum = own_;
  for (std::size_t n = 1; n < members_.size(); ++n) {
    const Progress& each = members_[n].progress;
    sum.sent += each.sent;
    sum.expected += each.expected;
    sum.distinct += each.distinct;
    sum.all_sent = sum.all_sent && each.all_sent;
  }
  return sum;
}

}  // namespace mq::bench
