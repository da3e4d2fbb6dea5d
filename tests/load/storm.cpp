#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "scenarios.hpp"
#include "session.hpp"

namespace load {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t session_taken_over = 0x8E;

/// Connections that come and go. With fewer client ids than connections they take each other over.
class Storm {
 public:
  explicit Storm(const Args& args);
  [[nodiscard]] Outcome run();

 private:
  [[nodiscard]] ConnectOptions options(std::size_t connection);
  void open(std::size_t connection);
  void renew();
  void settle();
  void count_end(const Session& session);
  [[nodiscard]] bool leaves() const { return ids_ == 0; }

  const Args& args_;
  Target target_;
  std::size_t ids_;  // 0: each connection has its own and leaves by itself
  Loop loop_;
  std::minstd_rand random_{7};  // NOLINT: the same storm each time
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<bool> counted_;  // its connection is in connects_
  std::uint64_t opened_ = 0, connects_ = 0, taken_over_ = 0, refused_ = 0, closed_without_ = 0;
};

Storm::Storm(const Args& args)
    : args_{args}, target_{Target::from(args)}, ids_{static_cast<std::size_t>(args.number("ids"))} {
  for (std::size_t i = 0; i < args.number("connections"); ++i)
    sessions_.push_back(std::make_unique<Session>(loop_, options(i)));
  counted_.resize(sessions_.size());
}

ConnectOptions Storm::options(std::size_t connection) {
  ConnectOptions options{.client_id = fmt::format("storm-{}", ids_ == 0 ? connection : connection % ids_),
                         .keep_alive = 60};
  options.clean_start = connection % 2 == 0;  // half of them take the session too
  options.session_expiry_seconds = static_cast<std::uint32_t>(args_.number("session-expiry"));
  return options;
}

Outcome Storm::run() {
  Meter meter{static_cast<pid_t>(args_.number("broker-pid"))};
  const std::uint64_t start = now_ns();
  for (std::size_t i = 0; i < sessions_.size(); ++i) open(i);
  while (seconds_since(start) < args_.real("seconds")) {
    loop_.turn(5ms);
    renew();
  }
  const double seconds = seconds_since(start);
  settle();
  Json result{
      {"scenario", "storm"},
      {"ids", ids_},
      {"connections", sessions_.size()},
      {"opened", opened_},
      {"connects", connects_},
      {"taken_over", taken_over_},
      {"refused", refused_},
      {"closed_without", closed_without_},
      {"connects_per_second", static_cast<double>(connects_) / seconds},
      {"connected_at_end", std::ranges::count_if(sessions_, [](const auto& s) { return s->connected(); })}};
  meter.report(result);
  for (auto& session : sessions_) session->leave();
  return result;
}

void Storm::open(std::size_t connection) {
  counted_[connection] = false;
  sessions_[connection]->open(target_, static_cast<unsigned>(opened_++));
}

/// Whoever is through leaves in one of three ways; whoever is gone comes again.
void Storm::renew() {
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    Session& session = *sessions_[i];
    if (session.connected() && !counted_[i]) {
      ++connects_;
      counted_[i] = true;
    }
    if (session.connected() && leaves()) {
      const auto how = random_() % 3;
      if (how == 0)
        session.leave();
      else
        session.close(how == 1 ? Closing::graceful : Closing::reset);
    }
    if (!session.settled() || session.connected()) continue;
    count_end(session);
    open(i);
  }
}

void Storm::count_end(const Session& session) {
  if (!session.lost()) return;
  if (session.reason() == session_taken_over)
    ++taken_over_;
  else if (session.reason())
    ++refused_;
  else
    ++closed_without_;
}

/// Until the last connections are answered, and as many are left as there are ids.
void Storm::settle() {
  const auto connected = [&] {
    return static_cast<std::size_t>(
        std::ranges::count_if(sessions_, [](const auto& s) { return s->connected(); }));
  };
  (void)loop_.run_until(
      [&] {
        return std::ranges::all_of(sessions_, [](const auto& s) { return s->settled(); }) &&
               (leaves() || connected() <= ids_);
      },
      10s);
  (void)loop_.run_until([] { return false; }, 300ms);  // were there too few, it shows now
}

Outcome run_storm(const Args& args) { return Storm{args}.run(); }

/// One connection after another: CONNECT, CONNACK, DISCONNECT.
Outcome run_connects(const Args& args) {
  const Target target = Target::from(args);
  Loop loop;
  Session session{loop, {.client_id = "connects"}};
  Histogram latency;
  std::uint64_t refused = 0;
  Meter meter{static_cast<pid_t>(args.number("broker-pid"))};
  const std::uint64_t start = now_ns();
  for (unsigned i = 0; i < args.number("count"); ++i) {
    const std::uint64_t from = now_ns();
    session.open(target, i);
    if (!loop.run_until([&] { return session.settled(); }, 10s)) return std::unexpected("no CONNACK in 10 s");
    latency.add(now_ns() - from);
    refused += session.connected() ? 0U : 1U;
    session.leave();
  }
  Json result{{"scenario", "connects"}, {"connects", latency.count()}, {"refused", refused}};
  result["connects_per_second"] = static_cast<double>(latency.count()) / seconds_since(start);
  result["latency_us"] = latency.report();
  meter.report(result);
  return result;
}

}  // namespace

std::vector<Scenario> storm_scenarios() {
  return {{"storm",
           "connections that come and go; with --ids fewer than connections, they take each other over",
           {{"connections", "200"}, {"ids", "0"}, {"seconds", "5"}, {"session-expiry", "0"}},
           run_storm},
          {"connects", "connections one after another", {{"count", "10000"}}, run_connects}};
}

}  // namespace load
