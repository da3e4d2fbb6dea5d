#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "mqbench/verify_result.hpp"

namespace mq::bench {
namespace {

using Out = std::back_insert_iterator<std::string>;

/// Of broken promises; --json has all.
constexpr std::size_t lines_max = 10;

constexpr std::array all_qos{mqtt::QoS::at_most_once, mqtt::QoS::at_least_once, mqtt::QoS::exactly_once};

void add_verdict(Out out, const VerifyResult& result) {
  const auto broken = result.broken();
  if (broken.empty()) {
    fmt::format_to(out, "kept: every message came as its QoS promises{}\n",
                   result.interrupted ? ", until it was interrupted" : "");
    return;
  }
  fmt::format_to(out, "BROKEN: {} promise{}\n", broken.size(), broken.size() == 1 ? "" : "s");
  for (const std::string& each : std::span{broken}.first(std::min(broken.size(), lines_max)))
    fmt::format_to(out, "  {}\n", each);
  if (broken.size() > lines_max) fmt::format_to(out, "  and {} more\n", broken.size() - lines_max);
}

/// No promise was broken by that, but a lesser one was given.
void add_downgrades(Out out, const VerifyResult& result) {
  std::map<std::pair<mqtt::QoS, mqtt::QoS>, std::set<std::string_view>> granted;
  for (const VerifiedStream& each : result.streams)
    if (each.qos < each.asked) granted[{each.asked, each.qos}].insert(each.subscriber);
  for (const auto& [qos, subscribers] : granted)
    fmt::format_to(out, "QoS {} was asked for and QoS {} granted to {} subscriber{}, judged by that\n",
                   mqtt::to_number(qos.first), mqtt::to_number(qos.second), subscribers.size(),
                   subscribers.size() == 1 ? "" : "s");
}

void add_table(Out out, const VerifyResult& result) {
  fmt::format_to(out, "\n{:<8}{:>10}{:>10}{:>8}{:>15}{:>11}{:>10}{:>10}{:>8}\n", "", "expected", "delivered",
                 "lost", "lost at faults", "duplicated", "reordered", "corrupted", "late");
  for (const mqtt::QoS qos : all_qos) {
    if (std::ranges::none_of(result.streams, [qos](const auto& each) { return each.qos == qos; })) continue;
    const StreamCounts c = result.total(qos);
    fmt::format_to(out, "{:<8}{:>10}{:>10}{:>8}{:>15}{:>11}{:>10}{:>10}{:>8}\n",
                   fmt::format("QoS {}", mqtt::to_number(qos)), c.expected, c.received, c.lost,
                   c.lost_at_faults, c.duplicated, c.reordered, c.corrupted, c.late);
  }
}

void add_connections(Out out, const VerifyResult& result) {
  const VerifiedPublisher sent = result.total();
  const VerifiedClient seen = result.connections();
  fmt::format_to(out, "\nsent {}, acknowledged {} ({} late), refused {}, never acknowledged {}\n", sent.sent,
                 sent.acked, sent.acked_late, sent.refused, sent.unacked);
  if (!result.scenario.faults.empty()) {
    fmt::format_to(out, "faults (seed {})", result.scenario.seed);
    for (std::size_t n = 0; n < fault_kinds; ++n)
      fmt::format_to(out, "{} {} {}", n == 0 ? ":" : ",", result.faults[n],
                     to_string(static_cast<FaultKind>(n)));
    fmt::format_to(out, "\n");
  }
  fmt::format_to(out,
                 "other connections lost {}, sessions lost {}, half-closes ignored {}, foreign messages {}\n",
                 seen.connections_lost, seen.sessions_lost, seen.half_closes_ignored, result.foreign);
  if (result.sessions_left > 0)
    fmt::format_to(out, "{} sessions are left at the broker until they expire\n", result.sessions_left);
}

}  // namespace

std::string as_text(const VerifyResult& result) {
  const VerifyScenario& s = result.scenario;
  std::string text;
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "verify: {} publishers, {} subscribers, {} messages of {} bytes, MQTT {}\n",
                 s.all_publishers(), s.all_subscribers(), s.messages, s.size.text(), result.version);
  add_verdict(out, result);
  add_downgrades(out, result);
  add_table(out, result);
  add_connections(out, result);
  return text;
}

}  // namespace mq::bench
