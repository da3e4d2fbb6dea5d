// The only file here that knows nlohmann/json.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "common/spelling.hpp"
#include "common/stdio.hpp"
#include "mqbench/histogram_encoding.hpp"
#include "mqbench/results/stored_result.hpp"
#include "mqbench/results/wall_time_text.hpp"

namespace mq::bench::results {
namespace {

using Json = nlohmann::json;

/// As in a run of a day (PerSecond).
constexpr std::uint64_t seconds_max = 24 * 3600;
/// Of a merge of many parts, each with some.
constexpr std::size_t outages_max = 1'000'000;
/// So that the sums of a merge of any size fit: at a million a second it is nine years.
constexpr std::uint64_t count_max = std::uint64_t{1} << 48;
/// Ten years: more than any clock is wrong, and what can still be added to a wall time.
constexpr std::int64_t offset_max_ns = std::int64_t{10} * 365 * 24 * 3600 * 1'000'000'000;
/// Nothing of a result is nested so deep; dumping calls itself.
constexpr int depth_max = 16;

/// Keeps the first fault, so that reading goes straight on.
struct FirstFault {
  std::string sentence;

  void note(const std::string& path, std::string_view what) {
    if (sentence.empty()) sentence = path.empty() ? std::string{what} : fmt::format("{} {}", path, what);
  }
};

/// A value and where it stands ("latency_ns.lag.hdr").
class Node {
 public:
  Node(const Json& json, std::string path, FirstFault& fault)
      : json_{&json}, path_{std::move(path)}, fault_{&fault} {}

  [[nodiscard]] const Json& json() const { return *json_; }
  void fail(std::string_view what) const { fault_->note(path_, what); }

  /// Null stands for what is not known, like nothing at all.
  [[nodiscard]] std::optional<Node> find(std::string_view key) const {
    if (!json_->is_object()) return std::nullopt;
    const auto found = json_->find(key);
    if (found == json_->end() || found->is_null()) return std::nullopt;
    return Node{*found, below(key), *fault_};
  }
  [[nodiscard]] Node at(std::string_view key) const {
    static const Json nothing;
    if (auto found = find(key)) return *found;
    fault_->note(below(key), "is missing");
    return Node{nothing, below(key), *fault_};
  }
  [[nodiscard]] std::vector<Node> items(std::size_t most) const {
    std::vector<Node> all;
    if (!json_->is_array())
      fail("is not an array");
    else if (json_->size() > most)
      fail(fmt::format("has more than {} items", most));
    else
      for (std::size_t n = 0; n < json_->size(); ++n)
        all.emplace_back((*json_)[n], fmt::format("{}[{}]", path_, n), *fault_);
    return all;
  }
  [[nodiscard]] std::uint64_t count(std::uint64_t most = count_max) const {
    if (json_->is_number_unsigned() && json_->get<std::uint64_t>() <= most)
      return json_->get<std::uint64_t>();
    fail(fmt::format("is not a whole number from 0 to {}", most));
    return 0;
  }
  [[nodiscard]] std::int64_t whole() const {
    const bool fits =
        !json_->is_number_unsigned() || json_->get<std::uint64_t>() <= std::uint64_t{offset_max_ns};
    const std::int64_t value =
        json_->is_number_integer() && fits ? json_->get<std::int64_t>() : offset_max_ns + 1;
    if (value >= -offset_max_ns && value <= offset_max_ns) return value;
    fail("is not a whole number of nanoseconds, within ten years");
    return 0;
  }
  /// Not negative: rates, shares and seconds.
  [[nodiscard]] double amount() const {
    const double value = json_->is_number() ? json_->get<double>() : -1;
    if (std::isfinite(value) && value >= 0) return value;
    fail("is not a number from 0 on");
    return 0;
  }
  [[nodiscard]] bool boolean() const {
    if (json_->is_boolean()) return json_->get<bool>();
    fail("is neither true nor false");
    return false;
  }
  [[nodiscard]] std::string text() const {
    if (json_->is_string()) return json_->get<std::string>();
    fail("is not a string");
    return {};
  }

 private:
  [[nodiscard]] std::string below(std::string_view key) const {
    return path_.empty() ? std::string{key} : fmt::format("{}.{}", path_, key);
  }

  const Json* json_;
  std::string path_;
  FirstFault* fault_;
};

std::optional<std::uint64_t> count_if_any(const Node& node, std::string_view key) {
  const auto found = node.find(key);
  return found ? std::optional{found->count()} : std::nullopt;
}

std::optional<std::int64_t> whole_if_any(const Node& node, std::string_view key) {
  const auto found = node.find(key);
  return found ? std::optional{found->whole()} : std::nullopt;
}

std::optional<double> amount_if_any(const Node& node, std::string_view key) {
  const auto found = node.find(key);
  return found ? std::optional{found->amount()} : std::nullopt;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Fields read_fields(const Node& node) {
  Fields fields;
  if (!node.json().is_object()) return node.fail("is not an object"), fields;
  for (const auto& [name, value] : node.json().items()) {
    std::string json = dump(value);
    std::string text = value.is_string() ? value.get<std::string>() : json;
    fields.push_back({.name = name, .json = std::move(json), .text = std::move(text)});
  }
  return fields;
}

/// Its counters, with what else is known of it.
Histogram read_histogram(const Node& node) {
  auto histogram = decode_histogram(node.at("hdr").text());
  if (!histogram) {
    node.at("hdr").fail(fmt::format("is no histogram: {}", histogram.error()));
    return {};
  }
  if (histogram->range() != latency_range) {
    node.at("hdr").fail("is of another range than 1 us to 1 h with 3 digits");
    return {};
  }
  const auto known = [&](std::string_view key, std::uint64_t otherwise) {
    return count_if_any(node, key).value_or(otherwise);
  };
  const HistogramExtremes extremes{.min = known("min", histogram->min()),
                                   .max = known("max", histogram->max()),
                                   .clipped = known("clipped", 0),
                                   .negative = known("negative", 0)};
  if (node.at("count").count() != histogram->count() || !histogram->restore(extremes))
    node.fail("has other figures than its histogram");
  return std::move(*histogram);
}

WallTime read_time(const Node& node) {
  const auto time = parse_rfc3339(node.text());
  if (!time) node.fail("is no time such as 2026-11-21T07:20:07.676123Z");
  return time.value_or(WallTime{});
}

void read_counts(const Node& node, StoredResult& result) {
  if (!node.json().is_object()) return node.fail("is not an object");
  for (const auto& [name, value] : node.json().items())
    result.counts.push_back({.name = name, .value = node.at(name).count()});
  for (const std::string_view needed : {"sent", "received", "expected", "lost"})
    static_cast<void>(node.at(needed));
}

void read_refusals(const Node& node, StoredResult& result) {
  constexpr std::size_t reasons_max = 10'000;
  for (const Node& item : node.items(reasons_max))
    result.refusals.push_back({.name = item.at("reason").text(), .value = item.at("count").count()});
}

void read_notes(const Node& node, StoredResult& result) {
  constexpr std::size_t notes_max = 10'000;
  for (const Node& item : node.items(notes_max)) result.notes.push_back(item.text());
}

StoredActivity read_activity(const Node& node) {
  const auto count = [&node](std::string_view key) { return count_if_any(node, key).value_or(0); };
  const auto amount = [&node](std::string_view key) { return amount_if_any(node, key); };
  return {.segments_sent = count("tcp_segments_sent"),
          .segments_resent = count("tcp_segments_resent"),
          .throttled_periods = count("throttled_periods"),
          .throttled_s = amount("throttled_s").value_or(0),
          .stolen = amount("stolen").value_or(0),
          .busiest_reception = amount("busiest_reception")};
}

void read_latencies(const Node& node, StoredResult& result) {
  if (!node.json().is_object()) return node.fail("is not an object");
  for (const auto& [name, value] : node.json().items())
    if (Histogram histogram = read_histogram(node.at(name)); histogram.count() > 0)
      result.latencies.push_back({.name = name, .histogram = std::move(histogram)});
}

StoredInterval read_interval(const Node& node) {
  StoredInterval interval{.second = node.at("t_s").count(seconds_max)};
  interval.sent = count_if_any(node, "sent");
  interval.received = count_if_any(node, "received");
  interval.connections = count_if_any(node, "connections");
  if (const auto latency = node.find("latency"); latency && latency->at("count").count() > 0)
    interval.latency = SparseHistogram{read_histogram(*latency)};
  interval.tool_cpu = amount_if_any(node, "tool_cpu");
  interval.broker_cpu = amount_if_any(node, "broker_cpu");
  interval.broker_rss_bytes = count_if_any(node, "broker_rss_bytes");
  interval.broker_fds = count_if_any(node, "broker_fds");
  return interval;
}

void read_intervals(const Node& node, StoredResult& result) {
  for (const Node& item : node.items(seconds_max)) {
    result.intervals.push_back(read_interval(item));
    const std::size_t n = result.intervals.size();
    if (n > 1 && result.intervals[n - 1].second <= result.intervals[n - 2].second)
      return item.fail("does not come after the one before it");
  }
}

void read_outages(const Node& node, StoredResult& result) {
  for (const Node& item : node.items(outages_max)) {
    const StoredOutage outage{.from = item.at("from_s").count(),
                              .to = item.at("to_s").count(),
                              .over = item.at("over").boolean(),
                              .connections = item.at("connections").count(),
                              .received = item.at("received").count(),
                              .began_ns = whole_if_any(item, "began_ns"),
                              .recovered_ns = whole_if_any(item, "recovered_ns"),
                              .lost = count_if_any(item, "lost"),
                              .part = count_if_any(item, "part")};
    if (outage.from >= outage.to) item.fail("ends before it begins");
    if (outage.part && (*outage.part < 1 || *outage.part > result.parts.size()))
      item.fail("is of a part that is not there");
    result.outages.push_back(outage);
  }
}

void read_thresholds(const Node& node, StoredResult& result) {
  constexpr std::size_t thresholds_max = 1000;
  for (const Node& item : node.items(thresholds_max))
    result.thresholds.push_back({.expression = item.at("expr").text(),
                                 .value = amount_if_any(item, "value"),
                                 .passed = item.at("passed").boolean()});
}

void read_sharding(const Node& root, StoredResult& result) {
  constexpr std::size_t parts_max = 100'000;
  if (const auto shard = root.find("shard")) {
    result.shard = Shard{.index = shard->at("index").count(), .count = shard->at("count").count()};
    if (const auto complete = shard->find("complete")) result.shard->complete = complete->boolean();
    if (result.shard->index < 1 || result.shard->index > result.shard->count)
      shard->fail("has an index that is not from 1 to its count");
  }
  if (const auto clock = root.find("clock"))
    result.clock =
        ClockOffset{.offset_ns = clock->at("offset_ns").whole(), .error_ns = clock->at("error_ns").count()};
  if (const auto workers = root.find("workers")) result.workers = workers->count();
  if (const auto parts = root.find("parts"))
    for (const Node& part : parts->items(parts_max)) result.parts.push_back(read_fields(part));
}

void read_tool(const Node& node, StoredResult& result) {
  result.tool = read_fields(node);
  result.threads = node.at("threads").count();
  result.cpu_s = node.at("cpu_s").amount();
  result.busiest = node.at("busiest").amount();
  result.cpu_s_per_million = node.at("cpu_s_per_million").amount();
}

void read_times(const Node& node, StoredResult& result) {
  result.times = {.first_due = whole_if_any(node, "first_due"),
                  .last_sent = whole_if_any(node, "last_sent"),
                  .last_received = whole_if_any(node, "last_received")};
}

void read_all(const Node& root, StoredResult& result) {
  result.run = root.at("run").count();
  result.started = read_time(root.at("started"));
  result.ended = read_time(root.at("ended"));
  result.interrupted = root.at("interrupted").boolean();
  result.verdict = root.at("verdict").text();
  if (const auto reason = root.find("reason")) result.reason = reason->text();
  if (const auto passed = root.find("passed")) result.passed = passed->boolean();
  if (const auto hash = root.find("scenario_hash")) result.scenario_hash = hash->text();
  result.scenario = read_fields(root.at("scenario"));
  result.broker = read_fields(root.at("broker"));
  result.machine = read_fields(root.at("machine"));
  read_tool(root.at("tool"), result);
  read_counts(root.at("counts"), result);
  read_times(root.at("times_ns"), result);
  result.sent_per_second = root.at("rates").at("sent_per_second").amount();
  result.received_per_second = root.at("rates").at("received_per_second").amount();
  read_latencies(root.at("latency_ns"), result);
  if (const auto intervals = root.find("intervals")) read_intervals(*intervals, result);
  if (const auto thresholds = root.find("thresholds")) read_thresholds(*thresholds, result);
  if (const auto notes = root.find("notes")) read_notes(*notes, result);
  if (const auto refusals = root.find("refusals")) read_refusals(*refusals, result);
  if (const auto activity = root.find("activity")) result.activity = read_activity(*activity);
  read_sharding(root, result);
  if (const auto outages = root.find("outages")) read_outages(*outages, result);
}

}  // namespace

std::expected<StoredResult, std::string> parse_result(std::string_view text, std::string name) {
  const auto failed = [&](std::string_view what) {
    return std::unexpected(fmt::format("{}: {}", name, what));
  };
  bool deep = false;
  const auto check_depth = [&deep](int depth, Json::parse_event_t, Json&) {
    deep = deep || depth > depth_max;
    return !deep;
  };
  const Json json = Json::parse(text, check_depth, false);
  if (deep) return failed(fmt::format("this is nested deeper than {} levels", depth_max));
  if (json.is_discarded()) return failed("this is not JSON");
  const auto format = json.is_object() ? json.find("format") : json.end();
  if (format == json.end() || !format->is_string()) return failed("this is no result of mqbench");
  if (*format != "mqbench/1")
    return failed(fmt::format("this is of format {}, not mqbench/1", in_quotes(format->get<std::string>())));
  StoredResult result;
  FirstFault fault;
  read_all(Node{json, "", fault}, result);
  if (!fault.sentence.empty()) return failed(fault.sentence);
  result.file = std::move(name);
  return result;
}

std::expected<StoredResult, ResultFault> read_result(const std::string& path) {
  const auto text = read_file(path, result_file_max_bytes);
  if (!text && text.error().code == EFBIG)
    return std::unexpected(ResultFault{.sentence = fmt::format("{}: this is larger than any result", path)});
  if (!text)
    return std::unexpected(
        ResultFault{.code = ExitCode::local_io,
                    .sentence = fmt::format("{}: {}", path, std::strerror(text.error().code))});
  auto result = parse_result(*text, path);
  if (!result)
    return std::unexpected(ResultFault{.code = ExitCode::usage, .sentence = std::move(result.error())});
  return std::move(*result);
}

}  // namespace mq::bench::results
