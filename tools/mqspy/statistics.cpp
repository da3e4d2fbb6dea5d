#include "mqspy/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <vector>

#include <mqtt/inspect/shown.hpp>

#include "common/json_writer.hpp"
#include "mqspy/names.hpp"

namespace mq::spy {
namespace {

constexpr std::size_t topics_shown = 10;

double milliseconds(mqtt::Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

std::int64_t microseconds(mqtt::Duration duration) {
  return std::chrono::floor<std::chrono::microseconds>(duration).count();
}

}  // namespace

void LatencyCounts::add(mqtt::Duration latency) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  // The first row counts what is below 32 ns, each next one what has one bit more.
  const unsigned row = value < steps ? 0 : static_cast<unsigned>(std::bit_width(value)) - 5;
  ++counts_[row * steps + (row == 0 ? value : (value >> (row - 1)) - steps)];
  ++count_;
  max_ = std::max(max_, latency);
}

mqtt::Duration LatencyCounts::percentile(unsigned per_mille) const {
  const std::uint64_t wanted = std::max<std::uint64_t>(1, (count_ * per_mille + 999) / 1000);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen < wanted) continue;
    const std::size_t row = i / steps, low = i % steps + (row == 0 ? 0 : steps),
                      shift = row == 0 ? 0 : row - 1;
    return std::min(max_, mqtt::Duration{static_cast<std::int64_t>(((low + 1) << shift) - 1)});
  }
  return max_;
}

void Statistics::on_open(const OpenRecord& record) {
  ++opened_;
  if (!first_) first_ = record.link.opened;
  last_ = std::max(last_, record.link.opened);
}

void Statistics::on_packet(const PacketRecord& record) {
  const mqtt::FlowPacket& packet = record.packet;
  const auto type = static_cast<unsigned>(type_of(packet));
  Sent& sent = sent_[{type, packet.sender}];
  ++sent.packets;
  sent.bytes += packet.size();
  last_ = std::max(last_, packet.step.time);
  if (const auto latency = record.latency()) latencies_[type].add(*latency);
  count_findings(record.findings);
  if (packet.topic.empty()) return;
  auto topic = topics_.find(packet.topic);
  if (topic == topics_.end() && topics_.size() < topics_max)
    topic = topics_.emplace(packet.topic, Sent{}).first;
  if (topic == topics_.end()) {
    ++other_topics_;
    return;
  }
  ++topic->second.packets;
  topic->second.bytes += packet.size();
}

void Statistics::count_findings(std::span<const mqtt::Finding> findings) {
  for (const mqtt::Finding& finding : findings)
    ++findings_[fmt::format("{} {}", mqtt::to_string(finding.version), finding.clause)];
}

void Statistics::on_close(const CloseRecord& record) {
  ++causes_[std::string{record.cause}];
  last_ = std::max(last_, record.close.time);
  count_findings(record.findings);
}

void Statistics::on_end() {
  if (view_.form == Form::json) return write_json();
  write_text();
}

void Statistics::write_text() {
  auto to = std::back_inserter(out_);
  const double seconds = milliseconds(last_ - first_.value_or(last_)) / 1e3;
  fmt::format_to(to, "{} connections in {:.3f} s, {} gaps, {} faults\n", opened_, seconds, gaps_, faults_);
  fmt::format_to(to, "\n{:<12} {:<4} {:>12} {:>14}\n", "packets", "", "count", "bytes");
  for (const auto& [kind, sent] : sent_)
    fmt::format_to(to, "{:<12} {:<4} {:>12} {:>14}\n",
                   mqtt::to_string(static_cast<mqtt::PacketType>(kind.first)), dir_name(kind.second),
                   sent.packets, sent.bytes);
  fmt::format_to(to, "\n{:<12} {:>12} {:>12} {:>12} {:>12} {:>12}\n", "answered by", "count", "p50 ms",
                 "p99 ms", "p99.9 ms", "max ms");
  for (const auto& [type, latency] : latencies_)
    fmt::format_to(to, "{:<12} {:>12} {:>12.3f} {:>12.3f} {:>12.3f} {:>12.3f}\n",
                   mqtt::to_string(static_cast<mqtt::PacketType>(type)), latency.count(),
                   milliseconds(latency.percentile(500)), milliseconds(latency.percentile(990)),
                   milliseconds(latency.percentile(999)), milliseconds(latency.max()));
  std::vector<std::pair<std::string_view, Sent>> busiest{topics_.begin(), topics_.end()};
  std::ranges::sort(busiest, [](const auto& a, const auto& b) {
    return std::pair{b.second.packets, a.first} < std::pair{a.second.packets, b.first};
  });
  if (!busiest.empty()) fmt::format_to(to, "\n{:>12} {:>14}  topic\n", "messages", "bytes");
  for (std::size_t i = 0; i < std::min(topics_shown, busiest.size()); ++i)
    fmt::format_to(to, "{:>12} {:>14}  {}\n", busiest[i].second.packets, busiest[i].second.bytes,
                   mqtt::shown(busiest[i].first));
  if (busiest.size() > topics_shown)
    fmt::format_to(to, "{:>12} topics more\n", busiest.size() - topics_shown);
  if (other_topics_ > 0)
    fmt::format_to(to, "{:>12} messages of topics that were not counted apart\n", other_topics_);
  fmt::format_to(to, "\n");
  for (const auto& [cause, count] : causes_) fmt::format_to(to, "{:>12} ended: {}\n", count, cause);
  for (const auto& [clause, count] : findings_) fmt::format_to(to, "{:>12} found: {}\n", count, clause);
}

void Statistics::write_json() {
  JsonWriter json{out_};
  json.begin_object();
  json.field("k", "stat");
  json.field("connections", opened_);
  json.field("gaps", gaps_);
  json.field("faults", faults_);
  json.field("span_us", microseconds(last_ - first_.value_or(last_)));
  json.key("packets");
  json.begin_array();
  for (const auto& [kind, sent] : sent_) {
    json.begin_object();
    json.field("type", mqtt::to_string(static_cast<mqtt::PacketType>(kind.first)));
    json.field("dir", dir_name(kind.second));
    json.field("count", sent.packets);
    json.field("nbytes", sent.bytes);
    json.end_object();
  }
  json.end_array();
  json.key("latency");
  json.begin_array();
  for (const auto& [type, latency] : latencies_) {
    json.begin_object();
    json.field("type", mqtt::to_string(static_cast<mqtt::PacketType>(type)));
    json.field("count", latency.count());
    json.field("p50_us", microseconds(latency.percentile(500)));
    json.field("p99_us", microseconds(latency.percentile(990)));
    json.field("p999_us", microseconds(latency.percentile(999)));
    json.field("max_us", microseconds(latency.max()));
    json.end_object();
  }
  json.end_array();
  json.key("findings");
  json.begin_array();
  for (const auto& [clause, count] : findings_) {
    json.begin_object();
    json.field("ver", clause.substr(0, clause.find(' ')));
    json.field("id", clause.substr(clause.find(' ') + 1));
    json.field("count", count);
    json.end_object();
  }
  json.end_array();
  json.key("ends");
  json.begin_array();
  for (const auto& [cause, count] : causes_) {
    json.begin_object();
    json.field("why", cause);
    json.field("count", count);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  out_.push_back('\n');
}

}  // namespace mq::spy
