#include "mqbench/verify_result.hpp"

#include <fmt/format.h>

#include <iterator>
#include <numeric>

namespace mq::bench {
namespace {

/// "3 lost (messages 4, 17, 20)"
std::string fault_with_examples(std::string_view what, std::uint64_t count,
                                const std::vector<std::uint64_t>& examples) {
  if (examples.empty()) return fmt::format("{} {}", count, what);
  std::string numbers;
  for (const std::uint64_t number : examples)
    fmt::format_to(std::back_inserter(numbers), "{}{}", numbers.empty() ? "" : ", ", number);
  return fmt::format("{} {} (message{} {}{})", count, what, count == 1 ? "" : "s", numbers,
                     count > examples.size() ? ", ..." : "");
}

void add_stream(std::vector<std::string>& broken, const VerifiedStream& stream) {
  const StreamCounts& counts = stream.judged.counts;
  const StreamExamples& examples = stream.judged.examples;
  const Breach breach = breach_of(counts, stream.qos);
  std::string what;
  const auto add = [&](bool broke, std::string_view name, std::uint64_t count, const auto& numbers) {
    if (broke) what += (what.empty() ? "" : "; ") + fault_with_examples(name, count, numbers);
  };
  add(breach.lost, "lost", counts.lost, examples.lost);
  add(breach.duplicated, "duplicated", counts.duplicated, examples.duplicated);
  add(breach.reordered, "reordered", counts.reordered, examples.reordered);
  add(breach.corrupted, "corrupted", counts.corrupted, examples.corrupted);
  if (breach.any())
    broken.push_back(fmt::format("QoS {}, {} to {}: {}", mqtt::to_number(stream.qos), stream.publisher,
                                 stream.subscriber, what));
}

}  // namespace

StreamCounts VerifyResult::total(mqtt::QoS qos) const {
  StreamCounts sum;
  for (const VerifiedStream& stream : streams)
    if (stream.qos == qos) sum.add(stream.judged.counts);
  return sum;
}

VerifiedPublisher VerifyResult::total() const {
  VerifiedPublisher sum;
  for (const VerifiedPublisher& each : publishers) {
    sum.sent += each.sent;
    sum.acked += each.acked;
    sum.acked_late += each.acked_late;
    sum.refused += each.refused;
    sum.unacked += each.unacked;
  }
  return sum;
}

VerifiedClient VerifyResult::connections() const {
  VerifiedClient sum;
  for (const VerifiedClient& each : clients) {
    sum.connections_lost += each.connections_lost;
    sum.sessions_lost += each.sessions_lost;
    sum.half_closes_ignored += each.half_closes_ignored;
  }
  return sum;
}

std::uint64_t VerifyResult::all_faults() const {
  return std::accumulate(faults.begin(), faults.end(), std::uint64_t{0});
}

std::vector<std::string> VerifyResult::broken() const {
  std::vector<std::string> broken;
  for (const VerifiedStream& stream : streams) add_stream(broken, stream);
  for (const VerifiedPublisher& each : publishers) {
    if (each.refused > 0)
      broken.push_back(fmt::format("QoS {}, {}: {} refused by the broker", mqtt::to_number(each.qos),
                                   each.name, each.refused));
    if (each.unacked > 0)
      broken.push_back(fmt::format("QoS {}, {}: {} never acknowledged", mqtt::to_number(each.qos), each.name,
                                   each.unacked));
  }
  for (const VerifiedClient& each : clients)
    if (each.sessions_lost > 0)
      broken.push_back(fmt::format("{}: its session was gone {} time{} when it came back", each.name,
                                   each.sessions_lost, each.sessions_lost == 1 ? "" : "s"));
  return broken;
}

}  // namespace mq::bench
