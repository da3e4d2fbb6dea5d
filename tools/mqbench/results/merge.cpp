#include "mqbench/results/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include <mqtt/util/text.hpp>

#include "common/json_writer.hpp"
#include "common/spelling.hpp"
#include "mqbench/results/merge_activity.hpp"
#include "mqbench/results/merge_intervals.hpp"
#include "mqbench/results/stored_threshold.hpp"

namespace mq::bench::results {
namespace {

using std::chrono::nanoseconds;
using Fault = std::optional<std::string>;

/// Parts of one run begin together; clocks that nobody has set may differ by hours.
constexpr auto start_distance_max = std::chrono::hours{24};
/// The worst first.
constexpr std::array<std::string_view, 3> bad_verdicts{"tool-bound", "network-bound", "broker-bound"};

Field text_field(std::string_view name, std::string_view text) {
  std::string json;
  JsonWriter{json}.string(text);
  return {.name = std::string{name}, .json = json, .text = std::string{text}};
}

template <class T>
Field number_field(std::string_view name, T value) {
  std::string json;
  JsonWriter{json}.number(value);
  return {.name = std::string{name}, .json = json, .text = json};
}

std::string text_of(const Fields& fields, std::string_view name) {
  const Field* field = find_field(fields, name);
  return field ? field->text : std::string{};
}

/// A part as it is listed in the merged result.
Fields describe(const StoredResult& part) {
  WallClockText clock;
  Fields fields{text_field("host", text_of(part.machine, "host"))};
  if (part.shard) {
    fields.push_back(number_field("index", part.shard->index));
    fields.push_back(number_field("count", part.shard->count));
    const std::string complete = part.shard->complete ? "true" : "false";
    fields.push_back({.name = "complete", .json = complete, .text = complete});
  }
  fields.push_back(number_field("run", part.run));
  fields.push_back(text_field("started", clock.rfc3339(part.started)));
  fields.push_back(text_field("ended", clock.rfc3339(part.ended)));
  if (part.clock) {
    fields.push_back(number_field("clock_offset_ns", part.clock->offset_ns));
    fields.push_back(number_field("clock_error_ns", part.clock->error_ns));
  }
  fields.push_back(text_field("verdict", part.verdict));
  if (!part.reason.empty()) fields.push_back(text_field("reason", part.reason));
  fields.push_back(number_field("sent", part.count("sent")));
  fields.push_back(number_field("received", part.count("received")));
  fields.push_back(number_field("cpu_s", part.cpu_s));
  fields.push_back(number_field("busiest", part.busiest));
  return fields;
}

/// Of a result that was merged, those that it was merged of.
std::vector<Fields> parts_of(const StoredResult& result) {
  if (!result.parts.empty()) return result.parts;
  return {describe(result)};
}

/// What tells whether a part is there twice.
std::string identity(const Fields& part) {
  if (const Field* index = find_field(part, "index"))
    return fmt::format("run {} shard {}", text_of(part, "run"), index->text);
  return fmt::format("run {} of {} on {}", text_of(part, "run"), text_of(part, "started"),
                     text_of(part, "host"));
}

Fields without_places(Fields scenario) {
  std::erase_if(scenario, [](const Field& field) { return is_of_place(field.name); });
  return scenario;
}

Fault find_foreign(std::span<const StoredResult> parts) {
  const StoredResult& first = parts.front();
  for (const StoredResult& part : parts) {
    const bool hashed = !first.scenario_hash.empty() && !part.scenario_hash.empty();
    const bool same = hashed ? part.scenario_hash == first.scenario_hash
                             : without_places(part.scenario) == without_places(first.scenario);
    std::string_view what;
    if (part.run != first.run)
      what = "runs";
    else if (!same)
      what = "scenarios";
    else if (part.shard && first.shard && part.shard->count != first.shard->count)
      what = "numbers of shards";
    if (!what.empty())
      return fmt::format("{} and {} are of different {}; --force merges them all the same",
                         in_quotes(first.file), in_quotes(part.file), what);
  }
  return std::nullopt;
}

Fault find_late(std::span<const StoredResult> parts, WallTime start) {
  for (const StoredResult& part : parts)
    if (part.started - start > start_distance_max)
      return fmt::format("{} began more than a day after the first", in_quotes(part.file));
  return std::nullopt;
}

Fault collect_parts(std::span<const StoredResult> parts, StoredResult& all) {
  std::set<std::string> known;
  for (const StoredResult& part : parts)
    for (const Fields& each : parts_of(part)) {
      if (!known.insert(identity(each)).second)
        return fmt::format("{} is there twice: a second time in {}", identity(each), in_quotes(part.file));
      all.parts.push_back(each);
    }
  all.workers = all.parts.size();
  return std::nullopt;
}

void add_up(std::vector<StoredCount>& all, const std::vector<StoredCount>& counts) {
  for (const StoredCount& count : counts) {
    const auto found = std::ranges::find(all, count.name, &StoredCount::name);
    if (found == all.end())
      all.push_back(count);
    else
      found->value += count.value;
  }
}

void add_notes(StoredResult& all, const StoredResult& part) {
  for (const std::string& note : part.notes)
    if (std::ranges::find(all.notes, note) == all.notes.end()) all.notes.push_back(note);
}

Fault add_latencies(StoredResult& all, const StoredResult& part) {
  for (const StoredLatency& latency : part.latencies) {
    const auto found = std::ranges::find(all.latencies, latency.name, &StoredLatency::name);
    if (found == all.latencies.end())
      all.latencies.push_back(latency);
    else if (!found->histogram.add(latency.histogram))
      return fmt::format("{}: the counts of {} are too many", part.file, in_quotes(latency.name));
  }
  return std::nullopt;
}

/// All that any part has noticed, with its place among the parts, which are those of `all` in their order.
/// Each part's seconds are from its own start.
void add_outages(std::span<const StoredResult> parts, WallTime start, StoredResult& all) {
  std::uint64_t before = 0;
  for (const StoredResult& part : parts) {
    const auto shift = part.started - start;
    const auto seconds = static_cast<std::uint64_t>(std::chrono::round<std::chrono::seconds>(shift).count());
    for (StoredOutage outage : part.outages) {
      outage.from += seconds;
      outage.to += seconds;
      for (auto* const time : {&outage.began_ns, &outage.recovered_ns})
        if (*time) **time += nanoseconds{shift}.count();
      outage.part = before + outage.part.value_or(1);
      all.outages.push_back(outage);
    }
    before += parts_of(part).size();
  }
  std::ranges::sort(all.outages, {},
                    [](const StoredOutage& each) { return std::tuple{each.from, each.part}; });
}

/// Each part's times are from its own start.
void add_times(StoredTimes& all, const StoredResult& part, WallTime start) {
  const std::int64_t shift = nanoseconds{part.started - start}.count();
  const auto keep = [shift](std::optional<std::int64_t>& kept, const std::optional<std::int64_t>& time,
                            auto choose) {
    if (time) kept = kept ? choose(*kept, *time + shift) : *time + shift;
  };
  const auto earlier = [](std::int64_t a, std::int64_t b) { return std::min(a, b); };
  const auto later = [](std::int64_t a, std::int64_t b) { return std::max(a, b); };
  keep(all.first_due, part.times.first_due, earlier);
  keep(all.last_sent, part.times.last_sent, later);
  keep(all.last_received, part.times.last_received, later);
}

double rate(std::uint64_t count, const std::optional<std::int64_t>& from,
            const std::optional<std::int64_t>& to) {
  if (!from || !to || *to <= *from) return 0;
  return static_cast<double>(count) / (static_cast<double>(*to - *from) / 1e9);
}

/// What all have, and have alike.
Fields common_fields(std::span<const StoredResult> parts, Fields StoredResult::* member) {
  Fields fields = parts.front().*member;
  for (const StoredResult& part : parts.subspan(1))
    std::erase_if(fields, [&](const Field& field) {
      const Field* other = find_field(part.*member, field.name);
      return !other || *other != field;
    });
  return fields;
}

/// Where each part's clients connect from and to is its own.
Fields common_scenario(std::span<const StoredResult> parts, Fields scenario) {
  const Fields common = common_fields(parts, &StoredResult::scenario);
  std::erase_if(scenario, [&common](const Field& field) {
    return is_of_place(field.name) && !find_field(common, field.name);
  });
  return scenario;
}

void set_field(Fields& fields, Field field) {
  std::erase_if(fields, [&](const Field& each) { return each.name == field.name; });
  fields.push_back(std::move(field));
}

void add_tool(std::span<const StoredResult> parts, StoredResult& all) {
  all.tool = common_fields(parts, &StoredResult::tool);
  for (const StoredResult& part : parts) {
    all.threads += part.threads;
    all.cpu_s += part.cpu_s;
    all.busiest = std::max(all.busiest, part.busiest);
  }
  const auto messages = static_cast<double>(all.count("sent") + all.count("received"));
  all.cpu_s_per_million = messages == 0 ? 0 : all.cpu_s / messages * 1e6;
  set_field(all.tool, number_field("threads", all.threads));
  set_field(all.tool, number_field("cpu_s", all.cpu_s));
  set_field(all.tool, number_field("busiest", all.busiest));
  set_field(all.tool, number_field("cpu_s_per_million", all.cpu_s_per_million));
}

void judge(std::span<const StoredResult> parts, StoredResult& all) {
  all.verdict = "valid";
  const auto rank = [](const StoredResult& part) { return std::ranges::find(bad_verdicts, part.verdict); };
  const auto worst = std::ranges::min_element(parts, {}, rank);
  if (rank(*worst) != bad_verdicts.end()) {
    all.verdict = worst->verdict;
    all.reason = fmt::format("{}: {}", worst->file, worst->reason);
  }
}

void add_thresholds(std::span<const StoredResult> parts, StoredResult& all) {
  for (const StoredResult& part : parts)
    for (const StoredThreshold& threshold : part.thresholds)
      if (std::ranges::find(all.thresholds, threshold.expression, &StoredThreshold::expression) ==
          all.thresholds.end())
        all.thresholds.push_back(judge_again(threshold, all));
  if (!all.thresholds.empty()) all.passed = std::ranges::all_of(all.thresholds, &StoredThreshold::passed);
}

/// Latencies between machines are no better than the worst of their clocks.
void add_clock(const StoredResult& part, StoredResult& all) {
  if (!part.clock) return;
  const std::uint64_t known = all.clock.value_or(ClockOffset{}).error_ns;
  all.clock = ClockOffset{.offset_ns = 0, .error_ns = std::max(part.clock->error_ns, known)};
}

/// "1/3, 3/3, ..."
std::string name_some(const std::vector<std::uint64_t>& shards, std::uint64_t count) {
  constexpr std::size_t most = 16;
  std::string names;
  for (std::size_t n = 0; n < std::min(shards.size(), most); ++n)
    names += fmt::format("{}{}/{}", n == 0 ? "" : ", ", shards[n], count);
  return names + (shards.size() > most ? ", ..." : "");
}

std::vector<std::uint64_t> missing_shards(const StoredResult& all, std::uint64_t count) {
  constexpr std::uint64_t shards_max = 100'000;  // a file may say anything
  std::vector<std::uint64_t> missing;
  for (std::uint64_t index = 1; index <= std::min(count, shards_max); ++index)
    if (std::ranges::none_of(all.parts, [&](const Fields& part) {
          return text_of(part, "index") == fmt::format("{}", index);
        }))
      missing.push_back(index);
  return missing;
}

std::vector<std::uint64_t> incomplete_shards(const StoredResult& all) {
  std::vector<std::uint64_t> incomplete;
  for (const Fields& part : all.parts)
    if (text_of(part, "complete") == "false")
      incomplete.push_back(mqtt::parse_number<std::uint64_t>(text_of(part, "index")).value_or(0));
  return incomplete;
}

/// Nothing if all shards are there, and each knew of all others to the end.
std::vector<std::string> find_missing(const StoredResult& all) {
  const auto count = mqtt::parse_number<std::uint64_t>(text_of(all.parts.front(), "count"));
  if (!count) return {};
  std::vector<std::string> warnings;
  if (const auto missing = missing_shards(all, *count); !missing.empty())
    warnings.push_back(fmt::format("{} of {} parts are there, but not {}: what is missing is not in the sums",
                                   all.parts.size(), *count, name_some(missing, *count)));
  if (const auto incomplete = incomplete_shards(all); !incomplete.empty())
    warnings.push_back(fmt::format(
        "{} ended before the others had told what they sent: what was lost of that is not in the sums",
        name_some(incomplete, *count)));
  return warnings;
}

}  // namespace

std::expected<Merged, std::string> merge(std::span<const StoredResult> parts, MergeRule rule) {
  Merged merged;
  StoredResult& all = merged.result;
  const StoredResult& first = *std::ranges::min_element(parts, {}, &StoredResult::started);
  const WallTime start = first.started;
  if (rule == MergeRule::one_run)
    if (auto fault = find_foreign(parts)) return std::unexpected(std::move(*fault));
  if (auto fault = find_late(parts, start)) return std::unexpected(std::move(*fault));
  if (auto fault = collect_parts(parts, all)) return std::unexpected(std::move(*fault));
  all.run = first.run;
  all.started = all.ended = start;
  all.scenario_hash = first.scenario_hash;
  all.scenario = common_scenario(parts, first.scenario);
  for (const StoredResult& part : parts) {
    all.ended = std::max(all.ended, part.started + (part.ended - part.started));
    all.interrupted = all.interrupted || part.interrupted;
    add_up(all.counts, part.counts);
    add_up(all.refusals, part.refusals);
    add_notes(all, part);
    add_times(all.times, part, start);
    add_clock(part, all);
    if (auto fault = add_latencies(all, part)) return std::unexpected(std::move(*fault));
  }
  all.sent_per_second = rate(all.count("sent"), all.times.first_due, all.times.last_sent);
  all.received_per_second = rate(all.count("received"), all.times.first_due, all.times.last_received);
  all.intervals = merge_intervals(parts, start);
  add_outages(parts, start, all);
  all.activity = merge_activity(parts);
  all.broker = common_fields(parts, &StoredResult::broker);
  all.machine = common_fields(parts, &StoredResult::machine);
  add_tool(parts, all);
  judge(parts, all);
  add_thresholds(parts, all);
  merged.warnings = find_missing(all);
  return merged;
}

}  // namespace mq::bench::results
