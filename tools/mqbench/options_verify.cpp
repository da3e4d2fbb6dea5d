#include "mqbench/options_verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <mqtt/util/text.hpp>

#include "mqbench/stamp.hpp"

namespace mq::bench {
namespace {

constexpr double fault_rate_max = 10'000;
constexpr std::uint32_t clients_of_a_kind_max = 1'000;
/// A subscriber keeps a byte of each message.
constexpr double bytes_kept_max = 1e9;
constexpr std::chrono::seconds default_duration{10};

/// "cut,stall", "all".
ValueResult keep_faults(std::vector<FaultKind>& faults, std::string_view text) {
  faults.clear();
  if (text == "all") {
    for (std::size_t n = 0; n < fault_kinds; ++n) faults.push_back(static_cast<FaultKind>(n));
    return {};
  }
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const auto kind = fault_named(text.substr(from, comma - from));
    if (!kind)
      return std::unexpected(fmt::format("'{}' is not a list of cut, half-close, stall and resume, or all",
                                         mqtt::escape_for_terminal(text)));
    if (std::ranges::find(faults, *kind) == faults.end()) faults.push_back(*kind);
    from = comma + 1;
  }
  return {};
}

ValueResult keep_fault_rate(double& rate, std::string_view text) {
  std::string_view number = text;
  if (number.ends_with("/s")) number.remove_suffix(2);
  const auto [end, fault] =
      std::from_chars(number.data(), number.data() + number.size(), rate, std::chars_format::fixed);
  if (fault == std::errc{} && end == number.data() + number.size() && rate >= 1e-3 && rate <= fault_rate_max)
    return {};
  return std::unexpected(
      fmt::format("'{}' is not a rate from 0.001/s to 10000/s", mqtt::escape_for_terminal(text)));
}

void join(const Options& options, BenchConfig& config) {
  const BenchConfig::Typed& typed = config.typed;
  VerifyScenario& s = config.verification;
  s.publishers = typed.publishers.value_or(s.publishers);
  s.subscribers = typed.subscribers.value_or(s.subscribers);
  if (typed.qos) s.kinds = {{(*typed.qos)[0], (*typed.qos)[1]}};
  s.size = typed.size.value_or(s.size);
  s.rate = typed.rate.value_or(s.rate);
  s.drain = typed.drain.value_or(s.drain);
  s.seed = typed.seed.value_or(s.seed);
  const std::chrono::duration<double> duration = typed.duration.value_or(mqtt::Duration{default_duration});
  s.messages = typed.count.value_or(static_cast<std::uint64_t>(duration.count() * s.rate));
  if (s.faults.empty() && (options.given("--fault-rate") || options.given("--fault-time")))
    (void)keep_faults(s.faults, "all");
}

}  // namespace

void declare_verify_options(Options& o, VerifyScenario& scenario) {
  o.parsed("--faults", [&scenario](std::string_view text) { return keep_faults(scenario.faults, text); })
      .metavar("LIST")
      .group(verification_group)
      .text(
          "break connections of ours meanwhile: cut (reset, and back at once), half-close (no more is sent, "
          "and back "
          "when the broker has closed), stall (nothing is read for a while), resume (reset, and back after a "
          "while), "
          "or all; always with the session kept")
      .suggests([] { return std::vector<std::string>{"cut", "half-close", "stall", "resume", "all"}; })
      .example("--faults cut,stall");
  o.parsed("--fault-rate",
           [&scenario](std::string_view text) { return keep_fault_rate(scenario.fault_rate, text); })
      .metavar("N/s")
      .group(verification_group)
      .text("faults per second, of all connections, at random (--seed) (default: 5/s)")
      .example("--fault-rate 20/s");
  o.duration("--fault-time", scenario.fault_time)
      .metavar("DURATION")
      .group(verification_group)
      .text("how long a stall or an absence lasts: half of that to all of it");
  o.duration("--late", scenario.late)
      .metavar("DURATION")
      .group(verification_group)
      .text("deliveries and acknowledgements that take longer are counted as late, which breaks no promise");
}

std::optional<std::string> choose_verification(const Options& options, BenchConfig& config) {
  if (options.given("SCENARIO")) return "verify has no scenario: options say what it does";
  for (const auto place : {mqtt::PropertyPlace::publish, mqtt::PropertyPlace::subscribe})
    if (!config.connection.properties.at(place).view().empty())
      return "option '-D': verify has properties of CONNECT only";
  join(options, config);
  const VerifyScenario& s = config.verification;
  if (s.rate == 0) return "option '--rate': verify needs a number";
  if (s.subscribers == 0) return "option '--subscribers': who verifies has to receive";
  if (s.publishers > clients_of_a_kind_max || s.subscribers > clients_of_a_kind_max)
    return fmt::format("verify has at most {} publishers and subscribers of each QoS", clients_of_a_kind_max);
  if (s.size.min() < Stamp::size)
    return fmt::format("option '--size': verify needs {} bytes for the stamp", Stamp::size);
  if (s.messages < s.all_publishers())
    return fmt::format("{} messages are less than one of each of {} publishers", s.messages,
                       s.all_publishers());
  if (static_cast<double>(s.messages) * s.subscribers > bytes_kept_max)
    return fmt::format("{} messages to {} subscribers are more than verify keeps account of", s.messages,
                       s.subscribers);
  return std::nullopt;
}

}  // namespace mq::bench
