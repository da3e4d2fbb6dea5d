#include "mqbench/live_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mq::bench {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view error_color = "\x1b[31m";
constexpr std::string_view color_end = "\x1b[0m";
constexpr std::size_t spark_label = 12;

/// "1:02:03"; "02:03" below an hour.
std::string clock_text(mqtt::Duration duration) {
  const auto seconds = std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(duration).count());
  if (seconds < 3600) return fmt::format("{:02}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string heading(const LiveState& state) {
  std::string line = fmt::format("{}: {}", state.scenario, to_string(state.phase));
  if (state.elapsed) line += fmt::format("  {}", clock_text(*state.elapsed));
  if (state.left && state.phase == Phase::running) line += fmt::format("  {} left", clock_text(*state.left));
  return line;
}

std::string latency_line(std::string_view name, std::array<std::uint64_t, 4> ns) {
  std::string line = fmt::format("{:<12}", name);
  for (const std::uint64_t each : ns) line += fmt::format("{:>12.3f}", static_cast<double>(each) / 1e6);
  return line;
}

void add_latency_lines(Lines& lines, const LiveState& state) {
  if (!state.last_second || !state.so_far) return;
  const IntervalLatency& last = *state.last_second;
  const Histogram& all = *state.so_far;
  lines.push_back(fmt::format("{:<12}{:>12}{:>12}{:>12}{:>12}", "latency, ms", "p50", "p99", "p99.9", "max"));
  lines.push_back(latency_line("last second", {last.p50, last.p99, last.p99_9, last.max}));
  lines.push_back(latency_line(
      "so far", {all.at_percentile(50), all.at_percentile(99), all.at_percentile(99.9), all.max()}));
}

void add_errors(Lines& lines, const LiveState& state, Colors colors) {
  for (const auto& [reason, count] : state.errors) {
    std::string line = fmt::format("{:>24}  {}", count, one_line(reason, 200));
    lines.push_back(colors == Colors::none ? std::move(line)
                                           : fmt::format("{}{}{}", error_color, line, color_end));
  }
}

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::connecting: return "connecting";
    case Phase::running: return "running";
    case Phase::draining: break;
  }
  return "draining";
}

LiveRates RateLog::add(const LiveState& state, mqtt::TimePoint now) {
  const auto before = std::exchange(looked_, now);
  const std::uint64_t sent = state.sent - std::exchange(sent_, state.sent);
  const std::uint64_t received = state.received - std::exchange(received_before_, state.received);
  if (!before || now <= *before) return {};
  const double seconds = std::chrono::duration<double>{now - *before}.count();
  const LiveRates rates{static_cast<double>(sent) / seconds, static_cast<double>(received) / seconds};
  received_.push_back(rates.received);
  if (received_.size() > looks_max) received_.pop_front();
  return rates;
}

std::string sparkline(const std::deque<double>& values, std::size_t columns) {
  constexpr std::array<std::string_view, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t shown = std::min(values.size(), columns);
  const auto first = values.end() - static_cast<std::ptrdiff_t>(shown);
  const double highest = shown == 0 ? 0 : *std::max_element(first, values.end());
  std::string line;
  for (auto each = first; each != values.end(); ++each) {
    const double height = highest > 0 ? *each / highest * static_cast<double>(blocks.size() - 1) + 0.5 : 0;
    line += blocks[std::min(static_cast<std::size_t>(std::max(height, 0.0)), blocks.size() - 1)];
  }
  return line;
}

std::vector<std::string> live_lines(const LiveState& state, const LiveRates& rates,
                                    const std::deque<double>& received, Colors colors, ScreenSize size) {
  Lines lines{heading(state)};
  if (state.phase == Phase::connecting)
    lines.push_back(fmt::format("{:<12}{:>12}  of {}", "ready", state.ready, state.clients));
  lines.push_back(fmt::format("{:<12}{:>12}{:>12.0f}/s", "sent", state.sent, rates.sent));
  lines.push_back(fmt::format("{:<12}{:>12}{:>12.0f}/s", "received", state.received, rates.received));
  lines.push_back(fmt::format("{:<12}{:>12}", "under way", state.under_way()));
  lines.push_back(fmt::format("{:<12}{:>12}  of {}", "connections", state.connections, state.clients));
  lines.push_back(fmt::format("{:<12}{:>12}", "errors", state.errors.empty() ? "none" : ""));
  add_errors(lines, state, colors);
  add_latency_lines(lines, state);
  const std::size_t columns = size.columns > spark_label ? size.columns - spark_label : 0;
  lines.push_back(fmt::format("{:<12}{}", "received/s", sparkline(received, columns)));
  return lines;
}

}  // namespace mq::bench
