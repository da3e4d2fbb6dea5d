#include "mqbench/report/page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mqbench/report/charts.hpp"
#include "mqbench/report/html.hpp"

namespace mq::bench::report {
namespace {

using results::StoredResult;

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::vector<Subject> subjects_of(std::span<const StoredResult> results) {
  std::uint64_t each = 1;
  for (const StoredResult& result : results) each = std::max(each, seconds_each(result));
  std::vector<Subject> subjects;
  for (const StoredResult& result : results) {
    const auto has_name = [&](const StoredResult& other) {
      return file_name(other.file) == file_name(result.file);
    };
    const bool alone = std::ranges::count_if(results, has_name) == 1;
    subjects.push_back({.result = &result,
                        .name = alone ? file_name(result.file) : result.file,
                        .timeline = timeline_of(result, each),
                        .seconds_each = each});
  }
  return subjects;
}

std::string scenario_name(const StoredResult& result) {
  const auto* name = results::find_field(result.scenario, "name");
  return name ? name->text : "mqbench";
}

std::string title_of(Subjects subjects) {
  if (subjects.size() > 1) return fmt::format("{} results", subjects.size());
  const StoredResult& result = *subjects.front().result;
  const auto* address = results::find_field(result.broker, "address");
  return scenario_name(result) + (address ? " on " + address->text : "");
}

std::string about(Subjects subjects) {
  std::string text;
  WallClockText clock;
  for (const Subject& subject : subjects) {
    const auto* host = results::find_field(subject.result->machine, "host");
    text += fmt::format(R"(<p class="soft about">{}{}, {} UTC{}</p>)",
                        subjects.size() > 1 ? escaped(subject.name) + ": " : "",
                        escaped(scenario_name(*subject.result)),
                        std::string{clock.rfc3339(subject.result->started)}.substr(0, 19).replace(10, 1, " "),
                        host ? ", measured from " + escaped(host->text) : "");
  }
  return text;
}

}  // namespace

std::string charts(Subjects subjects) {
  const std::string over_time = rate_chart(subjects) + percentile_charts(subjects);
  const std::string latencies = spectrum_chart(subjects) + heat_maps(subjects);
  const std::string rest = processor_chart(subjects) + memory_chart(subjects) + phases_chart(subjects) +
                           connections_chart(subjects);
  const std::string all = over_time + latencies + rest;
  return all.empty() ? all : fmt::format(R"(<h2>Charts</h2><div class="grid">{}</div>)", all);
}

std::string page(std::span<const StoredResult> results) {
  const auto subjects = subjects_of(results);
  const std::string title = escaped(title_of(subjects));
  return fmt::format(
             R"(<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{0} – mqbench</title>)"
             R"(<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">)"
             R"(<link rel="icon" href="data:,"><style>{1}</style></head><body><main><header><h1>{0}</h1>{2}</header>)",
             title, style(), about(subjects)) +
         verdicts(subjects) + key_figures(subjects) + outage_tables(subjects) + charts(subjects) +
         latency_tables(subjects) + circumstances(subjects) +
         fmt::format("</main><script>{}</script></body></html>\n", script());
}

}  // namespace mq::bench::report
