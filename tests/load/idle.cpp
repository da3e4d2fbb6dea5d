#include <fmt/format.h>

#include <algorithm>

#include "scenarios.hpp"
#include "session.hpp"

namespace load {
namespace {

using namespace std::chrono_literals;
using Sessions = std::vector<std::unique_ptr<Session>>;

Sessions make_sessions(Loop& loop, const Args& args) {
  Sessions sessions;
  for (std::size_t i = 0; i < args.number("connections"); ++i)
    sessions.push_back(std::make_unique<Session>(
        loop, ConnectOptions{.client_id = fmt::format("{}{}", args.text("client-prefix"), i),
                             .keep_alive = static_cast<std::uint16_t>(args.number("keep-alive")),
                             .session_expiry_seconds = static_cast<std::uint32_t>(args.number("expiry"))}));
  return sessions;
}

bool subscribe_each(Loop& loop, Sessions& sessions) {
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    const std::string filter = fmt::format("idle/{}/state", i);
    sessions[i]->subscribe({&filter, 1}, mqtt::QoS::at_most_once);
  }
  return loop.run_until(
      [&] {
        return std::ranges::all_of(sessions, &Session::subscribed, &std::unique_ptr<Session>::operator*);
      },
      30s);
}

/// A PINGREQ from one after another, spread over `interval`, for `seconds`; then the last answers.
void ping_in_turns(Loop& loop, Sessions& sessions, double interval, double seconds) {
  const std::uint64_t start = now_ns();
  const double per_second = static_cast<double>(sessions.size()) / interval;
  for (std::uint64_t sent = 0; seconds_since(start) < seconds;) {
    for (const auto due = static_cast<std::uint64_t>(seconds_since(start) * per_second); sent < due; ++sent)
      if (Session& session = *sessions[sent % sessions.size()]; session.connected()) session.ping();
    loop.turn(1ms);
  }
  (void)loop.run_until(
      [&] {
        return std::ranges::all_of(sessions,
                                   [](const auto& s) { return s->lost() || s->pings() == s->pongs(); });
      },
      10s);
}

Outcome run_idle(const Args& args) {
  const auto broker = static_cast<pid_t>(args.number("broker-pid"));
  const Target target = Target::from(args);
  Loop loop;
  Sessions sessions = make_sessions(loop, args);
  Json result{{"scenario", "idle"}, {"connections", sessions.size()}, {"rss_before_bytes", rss_of(broker)}};
  Meter meter{broker};
  result["connected"] = open_all(loop, sessions, target);
  result["connect_seconds"] = meter.wall_seconds();
  result["rss_connected_bytes"] = rss_of(broker);
  if (args.flag("subscribe") && !subscribe_each(loop, sessions))
    return std::unexpected("a subscription was not answered");
  result["rss_subscribed_bytes"] = rss_of(broker);
  ping_in_turns(loop, sessions, args.real("ping-interval"), args.real("seconds"));
  std::uint64_t pings = 0, pongs = 0;
  for (const auto& session : sessions) pings += session->pings(), pongs += session->pongs();
  result["pings"] = pings;
  result["pongs"] = pongs;
  result["still_connected"] = std::ranges::count_if(sessions, [](const auto& s) { return s->connected(); });
  result["lost"] = endings(sessions);
  meter.report(result);
  for (auto& session : sessions) session->leave();
  return result;
}

}  // namespace

Scenario idle_scenario() {
  return {"idle",
          "connections that do nothing but keep alive",
          {{"connections", "10000"},
           {"keep-alive", "10"},
           {"ping-interval", "5"},
           {"seconds", "10"},
           {"subscribe", "0"},
           {"expiry", "0"},
           {"client-prefix", "idle-"}},
          run_idle};
}

}  // namespace load
