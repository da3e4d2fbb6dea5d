#include "mqbench/threshold.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <mqtt/util/text.hpp>

#include "mqbench/run_result.hpp"
#include "mqbench/stamp.hpp"

namespace mq::bench {
namespace {

using Needs = Threshold::Needs;
using Statistic = Threshold::Statistic;

struct NamedLatency {
  std::string_view name;
  Histogram Measurements::* histogram;
  Needs needs;
};

constexpr std::array latencies{
    NamedLatency{"due_to_received", &Measurements::due_to_received, Needs::both},
    NamedLatency{"sent_to_received", &Measurements::sent_to_received, Needs::deliveries},
    NamedLatency{"lag", &Measurements::lag, Needs::schedule},
    NamedLatency{"ack", &Measurements::ack, Needs::acks},
    NamedLatency{"connect", &Measurements::connect, Needs::nothing},
    NamedLatency{"subscribe", &Measurements::subscribe, Needs::deliveries},
};

struct NamedCount {
  std::string_view name;
  Threshold::Count count;
};

constexpr std::array counts{
    NamedCount{"sent", &Measurements::sent},
    NamedCount{"unsent", &Measurements::unsent},
    NamedCount{"held", &Measurements::held},
    NamedCount{"sending_turns", &Measurements::sending_turns},
    NamedCount{"unsent_bytes", &Measurements::unsent_bytes},
    NamedCount{"acked", &Measurements::acked},
    NamedCount{"rejected", &Measurements::rejected},
    NamedCount{"unacked", &Measurements::unacked},
    NamedCount{"expected", &Measurements::expected},
    NamedCount{"received", &Measurements::received},
    NamedCount{"lost", &Measurements::lost},
    NamedCount{"duplicated", &Measurements::duplicated},
    NamedCount{"reordered", &Measurements::reordered},
    NamedCount{"corrupted", &Measurements::corrupted},
    NamedCount{"foreign", &Measurements::foreign},
    NamedCount{"retained", &Measurements::retained},
    NamedCount{"connections_lost", &Measurements::connections_lost},
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// A plain decimal number and nothing else.
std::optional<double> parse_decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != text.npos || text.ends_with('.'))
    return std::nullopt;
  double value = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::variant<double, Statistic>> find_figure(std::string_view name) {
  if (name == "min") return Statistic::min;
  if (name == "mean") return Statistic::mean;
  if (name == "max") return 100.0;
  if (!name.starts_with('p')) return std::nullopt;
  const auto percent = parse_decimal(name.substr(1));
  if (!percent || *percent <= 0 || *percent > 100) return std::nullopt;
  return *percent;
}

double figure_of(const Histogram& histogram, const std::variant<double, Statistic>& figure) {
  if (const double* percent = std::get_if<double>(&figure))
    return static_cast<double>(histogram.at_percentile(*percent));
  return figure == std::variant<double, Statistic>{Statistic::mean} ? histogram.mean()
                                                                    : static_cast<double>(histogram.min());
}

constexpr std::string_view no_schedule =
    "a closed loop has no due times, and so no such latency; sent_to_received is there";
constexpr std::string_view no_deliveries = "without subscribers nothing is delivered";

/// "4.1 ms": the unit in which it is 1 or more.
std::string shown_time(double ns) {
  for (const auto& [unit, factor] : {std::pair{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}})
    if (ns >= factor) return fmt::format("{:.3g} {}", ns / factor, unit);
  return fmt::format("{:.3g} ns", ns);
}

}  // namespace

std::optional<Threshold::Quantity> Threshold::find_quantity(std::string_view name) {
  if (name == "rate") return Rate::received;
  if (name == "sent_rate") return Rate::sent;
  if (const auto count = std::ranges::find(counts, name, &NamedCount::name); count != counts.end())
    return count->count;
  const std::size_t dot = name.find('.');
  auto latency = std::ranges::find(latencies, name.substr(0, dot), &NamedLatency::name);
  const bool named = latency != latencies.end();
  if (named && dot == name.npos) return std::nullopt;  // which figure of it?
  if (!named) latency = latencies.begin();
  const auto figure = find_figure(named ? name.substr(dot + 1) : name);
  if (!figure) return std::nullopt;
  return Latency{latency->histogram, *figure, latency->needs};
}

std::optional<Threshold::Comparison> Threshold::find_comparison(std::string_view sign) {
  static constexpr std::array<std::pair<std::string_view, Comparison>, 6> signs{
      {{"<", Comparison::less},
       {"<=", Comparison::less_equal},
       {">", Comparison::greater},
       {">=", Comparison::greater_equal},
       {"==", Comparison::equal},
       {"!=", Comparison::different}}};
  for (const auto& [name, comparison] : signs)
    if (name == sign) return comparison;
  return std::nullopt;
}

std::expected<double, std::string> Threshold::parse_limit(const Quantity& quantity, std::string_view text) {
  const auto fault = [text](std::string_view what) {
    return std::unexpected(fmt::format("'{}' is not {}", mqtt::escape_for_terminal(text), what));
  };
  if (std::holds_alternative<Latency>(quantity)) {
    const auto time = parse_decimal(text) ? std::nullopt : mqtt::parse_duration(text);  // a unit is needed
    return time ? std::expected<double, std::string>{static_cast<double>(time->count())}
                : fault("a time such as 5ms");
  }
  if (std::holds_alternative<Count>(quantity)) {
    const auto count = mqtt::parse_number<std::uint64_t>(text);
    return count ? std::expected<double, std::string>{static_cast<double>(*count)} : fault("a whole number");
  }
  if (text.ends_with("/s")) text.remove_suffix(2);
  const auto rate = parse_decimal(text);
  return rate ? std::expected<double, std::string>{*rate} : fault("a rate such as 9990/s");
}

std::expected<Threshold, std::string> Threshold::parse(std::string_view text) {
  constexpr std::string_view signs = "<>=!";
  const auto shown = [](std::string_view part) { return mqtt::escape_for_terminal(part); };
  const std::size_t begin = text.find_first_of(signs);
  if (begin == text.npos)
    return std::unexpected(fmt::format("'{}' compares nothing: write it as p99<5ms or lost==0", shown(text)));
  const std::size_t end = std::min(text.find_first_not_of(signs, begin), text.size());
  const std::string_view name = trimmed(text.substr(0, begin));
  const std::string_view sign = text.substr(begin, end - begin);
  const std::string_view value = trimmed(text.substr(end));
  Threshold threshold;
  const auto quantity = find_quantity(name);
  if (!quantity)
    return std::unexpected(
        fmt::format("'{}' is no value of a run such as p99, ack.max, lost or rate", shown(name)));
  const auto comparison = find_comparison(sign);
  if (!comparison) return std::unexpected(fmt::format("'{}' is none of < <= > >= == !=", shown(sign)));
  const auto limit = parse_limit(*quantity, value);
  if (!limit) return std::unexpected(limit.error());
  threshold.text_ = fmt::format("{}{}{}", name, sign, value);
  threshold.quantity_ = *quantity;
  threshold.comparison_ = *comparison;
  threshold.limit_ = *limit;
  return threshold;
}

std::optional<std::string> Threshold::impossible_in(const Scenario& scenario) const {
  const auto because = [](std::string_view reason) { return std::optional<std::string>{reason}; };
  const bool delivers = scenario.subscribers > 0;
  if (const Rate* const rate = std::get_if<Rate>(&quantity_); rate && *rate == Rate::received && !delivers)
    return fmt::format("{}; sent_rate is there", no_deliveries);
  const Latency* const latency = std::get_if<Latency>(&quantity_);
  if (!latency) return std::nullopt;
  const bool needs_both = latency->needs == Needs::both;
  if ((latency->needs == Needs::deliveries || needs_both) && !delivers) return because(no_deliveries);
  if ((latency->needs == Needs::schedule || needs_both) && !scenario.open_loop()) return because(no_schedule);
  const bool by_stamp = latency->histogram == &Measurements::due_to_received ||
                        latency->histogram == &Measurements::sent_to_received;
  if (by_stamp && scenario.unstamped() && scenario.operation == Operation::publish)
    return fmt::format("payloads below the stamp's {} bytes have no latency", Stamp::size);
  if (latency->needs == Needs::acks && scenario.publish_qos == mqtt::QoS::at_most_once)
    return because("at QoS 0 nothing is acknowledged");
  return std::nullopt;
}

std::optional<double> Threshold::value_of(const RunResult& result) const {
  if (const Count* const count = std::get_if<Count>(&quantity_))
    return static_cast<double>(result.measurements.**count);
  if (const Rate* const rate = std::get_if<Rate>(&quantity_))
    return *rate == Rate::sent ? result.sent_rate() : result.received_rate();
  const Latency& latency = std::get<Latency>(quantity_);
  const Histogram& histogram = result.measurements.*latency.histogram;
  if (histogram.count() == 0) return std::nullopt;
  return figure_of(histogram, latency.figure);
}

bool Threshold::is_met_by(double value) const {
  switch (comparison_) {
    case Comparison::less: return value < limit_;
    case Comparison::less_equal: return value <= limit_;
    case Comparison::greater: return value > limit_;
    case Comparison::greater_equal: return value >= limit_;
    case Comparison::equal: return value == limit_;
    case Comparison::different: return value != limit_;
  }
  return false;
}

std::string Threshold::shown(double value) const {
  if (std::holds_alternative<Latency>(quantity_)) return shown_time(value);
  return std::holds_alternative<Count>(quantity_) ? fmt::format("{:.0f}", value)
                                                  : fmt::format("{:.1f}/s", value);
}

ThresholdOutcome judge_threshold(const Threshold& threshold, const RunResult& result) {
  const auto value = threshold.value_of(result);
  const bool passed = result.verdict == Verdict::valid && value && threshold.is_met_by(*value);
  return {.threshold = threshold, .value = value, .passed = passed};
}

}  // namespace mq::bench
