#include "mqbench/progress_reporter.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "mqbench/histogram_json.hpp"
#include "mqbench/live_screen.hpp"
#include "mqbench/live_view.hpp"
#include "mqbench/result_file.hpp"

namespace mq::bench {
namespace {

double since_in_s(mqtt::Duration duration) { return std::chrono::duration<double>{duration}.count(); }

class NoProgress final : public ProgressReporter {
 public:
  void show(const LiveState& /*state*/, mqtt::TimePoint /*now*/) override {}
};

class TextProgress final : public ProgressReporter {
 public:
  explicit TextProgress(Diag& diag) : diag_{diag} {}

  void show(const LiveState& state, mqtt::TimePoint /*now*/) override {
    if (state.phase == Phase::connecting)
      return diag_.info(fmt::format("{} of {} clients ready", state.ready, state.clients));
    diag_.info(fmt::format("{} sent (+{}), {} delivered (+{}), {} under way", state.sent,
                           state.sent - std::exchange(sent_, state.sent), state.received,
                           state.received - std::exchange(received_, state.received), state.under_way()));
  }

 private:
  Diag& diag_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
};

void add_state(JsonWriter& json, const LiveState& state, const LiveRates& rates) {
  json.field("phase", to_string(state.phase));
  if (state.elapsed) json.field("t_s", since_in_s(*state.elapsed));
  if (state.left) json.field("left_s", since_in_s(*state.left));
  json.field("clients", state.clients);
  json.field("ready", state.ready);
  json.field("connections", state.connections);
  json.field("sent", state.sent);
  json.field("sent_per_s", rates.sent);
  json.field("received", state.received);
  json.field("received_per_s", rates.received);
  json.field("under_way", state.under_way());
  json.key("errors");
  json.begin_array();
  for (const auto& [reason, count] : state.errors) {
    json.begin_object();
    json.field("reason", reason);
    json.field("count", count);
    json.end_object();
  }
  json.end_array();
  if (!state.last_second || !state.so_far) return;
  add_interval_latency(json, "latency_ns_last_second", *state.last_second);
  add_interval_latency(json, "latency_ns", summary_of(*state.so_far));
}

class JsonProgress final : public ProgressReporter {
 public:
  void show(const LiveState& state, mqtt::TimePoint now) override {
    const LiveRates rates = rates_.add(state, now);
    line_.clear();
    append_event(line_, clock_, Diag::system_clock(), "progress",
                 [&](JsonWriter& json) { add_state(json, state, rates); });
    // Like a line of Diag: if it cannot be written there is nobody to tell.
    static_cast<void>(write_all(STDERR_FILENO, line_, "standard error"));
  }

 private:
  RateLog rates_;
  WallClockText clock_;
  std::string line_;
};

bool can_draw(const Diag& diag) {
  const char* terminal = std::getenv("TERM");
  const bool dumb = !terminal || std::string_view{terminal} == "dumb";
  return !dumb && ::isatty(STDERR_FILENO) == 1 && diag.shows(Severity::info) &&
         diag.settings().format == LogFormat::text;
}

}  // namespace

std::unique_ptr<ProgressReporter> make_progress_reporter(ProgressMode mode, mqtt::net::Loop& loop,
                                                         Diag& diag) {
  switch (mode) {
    case ProgressMode::none: return std::make_unique<NoProgress>();
    case ProgressMode::json: return std::make_unique<JsonProgress>();
    case ProgressMode::automatic:
      if (can_draw(diag)) return make_live_screen(loop, diag);
      break;
    case ProgressMode::text: break;
  }
  return std::make_unique<TextProgress>(diag);
}

}  // namespace mq::bench
