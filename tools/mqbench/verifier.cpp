#include "mqbench/verifier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/farewell.hpp"

namespace mq::bench {
namespace {

using mqtt::Duration;
using mqtt::TimePoint;

constexpr Duration tick_time = std::chrono::milliseconds{5};
/// So many connections begin in a tick.
constexpr std::size_t connects_per_tick = 10;
/// Of one publisher, who catches up after an absence.
constexpr int messages_per_tick = 64;
/// Nothing has come for so long: what the broker sends twice is here by then.
constexpr Duration quiet_time = std::chrono::milliseconds{300};
/// DISCONNECT, the server's end, and before 5.0 the end of the session: each has a deadline of its own.
constexpr Duration leave_time = std::chrono::seconds{10};

}  // namespace

Verifier::Verifier(const VerifyScenario& scenario, const ConnectionConfig& connection,
                   const ClientSetup& setup, std::uint32_t run, Diag& diag)
    : scenario_{scenario},
      connection_{connection},
      setup_{setup},
      diag_{diag},
      signals_{loop_, {.on_stop = [this] { on_stop(); }, .on_statistics = [this] { show_progress(); }}},
      timer_{loop_, [this] { tick(); }},
      ground_{.loop = loop_, .scenario = scenario, .run = run},
      dice_{scenario} {
  ground_.farewell = Farewell{connection, setup}.properties(mqtt::Version::v5);
  ground_.next_sent.resize(scenario.all_publishers());
  make_clients();
}

void Verifier::make_clients() {
  const std::string prefix = connection_.client_id.value_or(connection_.id_prefix.value_or("mqbench"));
  const auto name = [&](std::uint32_t number, char role) {
    return fmt::format("{}-{:06x}-{}{}", prefix, ground_.run, role, number);
  };
  for (std::uint32_t n = 0; n < scenario_.all_subscribers(); ++n) {
    subscribers_.push_back(
        std::make_unique<VerifySubscriber>(ground_, fmt::format("s{}", n), options_for(name(n, 's')), n));
    clients_.push_back(subscribers_.back().get());
  }
  for (std::uint32_t n = 0; n < scenario_.all_publishers(); ++n) {
    publishers_.push_back(
        std::make_unique<VerifyPublisher>(ground_, fmt::format("p{}", n), options_for(name(n, 'p')), n));
    clients_.push_back(publishers_.back().get());
  }
}

mqtt::ClientOptions Verifier::options_for(const std::string& client_id) const {
  mqtt::ClientOptions options = setup_.options;
  options.connect.client_id = client_id;
  options.own_session = true;  // the run's number is in the id
  if (options.mechanism)
    if (auto own = options.mechanism->for_another_client()) options.mechanism = std::move(own);
  options.jitter_seed = scenario_.seed + clients_.size();
  return options;
}

std::expected<VerifyResult, ExitCode> Verifier::run() {
  opened_ = progress_at_ = moved_at_ = entered_at_ = loop_.refresh_now();
  tick();
  loop_.run();
  if (failure_) diag_.error(failure_->sentence);
  if (start_ == TimePoint{}) return std::unexpected(failure().value_or(ExitCode::deadline));
  return add_up();
}

std::optional<ExitCode> Verifier::failure() const {
  return failure_ ? std::optional{failure_->code} : std::nullopt;
}

void Verifier::tick() {
  loop_.refresh_now();
  if (std::exchange(moved_, ground_.moved) != ground_.moved) moved_at_ = loop_.now();
  if (state_ != State::leaving && !failure_) failure_ = find_failure();
  if (state_ != State::leaving && (failure_ || stuck())) leave();
  switch (state_) {
    case State::connecting: connect_some(); break;
    case State::publishing: publish_due(), break_some(); break;
    case State::settling: settle(); break;
    case State::draining: drain(); break;
    case State::leaving:
      if (all_ended() || loop_.now() >= entered_at_ + leave_time) return loop_.stop();
  }
  if (loop_.now() >= progress_at_ + std::chrono::seconds{1}) {
    show_progress();
    progress_at_ = loop_.now();
  }
  timer_.set(loop_.now() + tick_time);
}

/// Of what is under way for longer than anything may take, nothing comes any more.
bool Verifier::stuck() {
  const Duration patience = state_ == State::connecting ? 2 * connection_.connect_timeout : scenario_.drain;
  return loop_.now() >= moved_at_ + patience;
}

void Verifier::connect_some() {
  for (std::size_t n = 0; n < connects_per_tick && begun_ < clients_.size(); ++n)
    clients_[begun_++]->connect();
  if (begun_ < clients_.size() || !all_well()) return;
  start_ = loop_.now();
  started_ = Diag::system_clock();
  next_fault_ = start_ + (scenario_.faults.empty() ? Duration::max() / 2 : dice_.gap());
  enter(State::publishing);
}

std::uint64_t Verifier::limit_of(const VerifyPublisher& publisher) const {
  const std::uint64_t limit = scenario_.limit_of(publisher.number());
  return stopped_at_.empty() ? limit : std::min(limit, stopped_at_[publisher.number()]);
}

void Verifier::publish_due() {
  const double elapsed = std::chrono::duration<double>{loop_.now() - start_}.count();
  const auto due = static_cast<std::uint64_t>(elapsed * scenario_.rate / scenario_.all_publishers());
  bool all_done = true, nobody_waits = true;
  for (const auto& publisher : publishers_) {
    const std::uint64_t most = limit_of(*publisher) - std::min<std::uint64_t>(limit_of(*publisher), 1);
    const std::uint64_t wanted = std::min(due, most);
    for (int n = 0; n < messages_per_tick && publisher->published().sent < wanted && publisher->publish();
         ++n) {
    }
    all_done = all_done && publisher->published().sent >= most;
    nobody_waits = nobody_waits && publisher->published().sent >= wanted;
  }
  if (nobody_waits) moved_at_ = loop_.now();  // a low rate is no standstill
  if (all_done) enter(State::settling);
}

void Verifier::break_some() {
  for (; next_fault_ <= loop_.now(); next_fault_ += dice_.gap()) {
    const FaultKind kind = dice_.kind();
    VerifyClient& client = *clients_[dice_.one_of(clients_.size())];
    const Duration length = dice_.length();
    if (!client.well()) continue;
    ++faults_[static_cast<std::size_t>(kind)];
    client.suffer(kind, length);
  }
}

/// The last message of each publisher comes when all is well again: at QoS 0 it tells that the others have
/// come, or never will.
void Verifier::settle() {
  if (!all_well()) return;
  bool all_sent = true;
  for (const auto& publisher : publishers_) {
    if (publisher->published().sent < limit_of(*publisher)) (void)publisher->publish();
    all_sent = all_sent && publisher->published().sent >= limit_of(*publisher);
  }
  if (all_sent) enter(State::draining);
}

void Verifier::drain() {
  if (loop_.now() >= moved_at_ + quiet_time && complete()) leave();
}

bool Verifier::complete() const {
  const auto settled = [](const auto& publisher) { return publisher->unacked() == 0; };
  if (!std::ranges::all_of(publishers_, settled)) return false;
  for (const auto& subscriber : subscribers_)
    for (const auto& publisher : publishers_) {
      if (!scenario_.receives(subscriber->number(), publisher->number())) continue;
      const StreamTally& stream = subscriber->stream(publisher->number() % scenario_.publishers);
      const Published& sent = publisher->published();
      const bool all = stream.distinct() + sent.refused.size() >= sent.sent;
      const bool last =
          subscriber->promised() == mqtt::QoS::at_most_once && sent.sent > 0 && stream.has(sent.sent - 1);
      if (!all && !last) return false;
    }
  return true;
}

void Verifier::leave() {
  ended_ = Diag::system_clock();
  if (state_ == State::connecting && !failure_ && signals_.stop_signal() == 0)
    failure_ =
        SetupFailure{ExitCode::deadline, Sentence{"not every client was connected and subscribed in time"}};
  enter(State::leaving);
  for (std::size_t n = 0; n < begun_; ++n)
    if (!clients_[n]->ended()) clients_[n]->leave();
}

void Verifier::enter(State state) {
  state_ = state;
  entered_at_ = moved_at_ = loop_.now();
}

/// What was sent is still judged: each publisher ends with one more message.
void Verifier::on_stop() {
  if (state_ == State::connecting) return leave();
  if (state_ != State::publishing) return;
  for (const auto& publisher : publishers_) stopped_at_.push_back(publisher->published().sent + 1);
}

std::optional<SetupFailure> Verifier::find_failure() const {
  for (const VerifyClient* const client : clients_) {
    if (client->failure()) return client->failure();
    if (!client->ended()) continue;
    return SetupFailure{exit_code_for(*client->ended()),
                        describe(*client->ended(), where_of(connection_, setup_))};
  }
  return std::nullopt;
}

bool Verifier::all_well() const {
  return std::ranges::all_of(clients_, [](const VerifyClient* each) { return each->well(); });
}

bool Verifier::all_ended() const {
  return std::ranges::all_of(std::span{clients_}.first(begun_),
                             [](const VerifyClient* each) { return each->ended().has_value(); });
}

std::uint64_t Verifier::delivered() const {
  std::uint64_t sum = 0;
  for (const auto& subscriber : subscribers_)
    for (std::uint32_t n = 0; n < scenario_.publishers; ++n) sum += subscriber->stream(n).distinct();
  return sum;
}

void Verifier::show_progress() {
  if (state_ == State::connecting)
    return diag_.info(fmt::format("{} of {} clients begun", begun_, clients_.size()));
  std::uint64_t sent = 0, faults = 0;
  for (const auto& publisher : publishers_) sent += publisher->published().sent;
  for (const std::uint64_t each : faults_) faults += each;
  diag_.info(
      fmt::format("{} of {} sent, {} delivered, {} faults", sent, scenario_.messages, delivered(), faults));
}

VerifyResult Verifier::add_up() const {
  VerifyResult result;
  result.scenario = scenario_;
  result.run = ground_.run;
  result.broker = connection_.where();
  result.version = to_string(publishers_.front()->client().session().version());
  result.started = started_;
  result.ended = ended_;
  result.interrupted = signals_.stop_signal() != 0;
  result.faults = faults_;
  result.foreign = ground_.foreign;
  for (const auto& each : publishers_)
    result.publishers.push_back({.name = each->name(),
                                 .qos = each->qos(),
                                 .sent = each->published().sent,
                                 .acked = each->acked(),
                                 .acked_late = each->acked_late(),
                                 .refused = each->published().refused.size(),
                                 .unacked = each->unacked()});
  for (const auto& each : subscribers_) add_streams(result, *each);
  for (const VerifyClient* const each : clients_) {
    result.sessions_left += each->session_left();
    result.clients.push_back({.name = each->name(),
                              .connections_lost = each->connections_lost(),
                              .sessions_lost = each->sessions_lost(),
                              .half_closes_ignored = each->half_closes_ignored()});
  }
  return result;
}

void Verifier::add_streams(VerifyResult& result, const VerifySubscriber& subscriber) const {
  for (const auto& publisher : publishers_) {
    if (!scenario_.receives(subscriber.number(), publisher->number())) continue;
    const StreamTally& stream = subscriber.stream(publisher->number() % scenario_.publishers);
    result.streams.push_back({.publisher = publisher->name(),
                              .subscriber = subscriber.name(),
                              .qos = subscriber.promised(),
                              .asked = scenario_.kind_of_subscriber(subscriber.number()).promised(),
                              .judged = stream.judge(publisher->published(), subscriber.promised())});
  }
}

}  // namespace mq::bench
