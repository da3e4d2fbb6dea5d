// What is at the bottom: all numbers, and how they came to be.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mqbench/report/charts.hpp"
#include "mqbench/report/html.hpp"
#include "mqbench/report/page.hpp"
#include "mqbench/report/table.hpp"

namespace mq::bench::report {
namespace {

using results::Field;
using results::Fields;
using results::StoredResult;

/// Of counts, what is asked for first; the others follow.
constexpr std::array<std::string_view, 4> first_counts{"sent", "expected", "received", "lost"};

Row latency_row(const results::StoredLatency& latency, std::size_t result, std::string name) {
  const Histogram& h = latency.histogram;
  const auto path = [&](std::string_view key) { return fmt::format("latency_ns.{}.{}", latency.name, key); };
  Row row{.name = std::move(name), .cells = {}};
  row.cells.push_back(from(number_cell(static_cast<double>(h.count())), result, path("count")));
  row.cells.push_back(from(time_cell(static_cast<double>(h.min())), result, path("min")));
  row.cells.push_back(from(time_cell(h.mean()), result, path("mean")));
  for (const auto& [key, percent] :
       {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}, {"p99.99", 99.99}})
    row.cells.push_back(from(time_cell(static_cast<double>(h.at_percentile(percent))), result, path(key)));
  row.cells.push_back(from(time_cell(static_cast<double>(h.max())), result, path("max")));
  row.cells.push_back(from(number_cell(static_cast<double>(h.clipped())), result, path("clipped")));
  row.cells.push_back(from(number_cell(static_cast<double>(h.negative())), result, path("negative")));
  return row;
}

template <class Names>
void add_name(Names& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

std::vector<std::string> result_columns(Subjects subjects) {
  std::vector<std::string> columns{""};
  for (const Subject& subject : subjects) columns.push_back(subject.name);
  return columns;
}

Table counts_table(Subjects subjects) {
  Table table{.caption = "counts", .columns = result_columns(subjects), .rows = {}};
  std::vector<std::string> names{first_counts.begin(), first_counts.end()};
  for (const Subject& subject : subjects)
    for (const auto& count : subject.result->counts) add_name(names, count.name);
  for (const std::string& name : names) {
    Row row{.name = with_spaces(name), .cells = {}};
    for (std::size_t n = 0; n < subjects.size(); ++n)
      row.cells.push_back(
          from(number_cell(static_cast<double>(subjects[n].result->count(name))), n, "counts." + name));
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// By reason; "" if nothing was refused.
std::string refusals_table(Subjects subjects) {
  Table table{.caption = "refusals", .columns = result_columns(subjects), .rows = {}};
  std::vector<std::string> reasons;
  for (const Subject& subject : subjects)
    for (const auto& refusal : subject.result->refusals) add_name(reasons, refusal.name);
  for (const std::string& reason : reasons) {
    Row row{.name = reason, .cells = {}};
    for (std::size_t n = 0; n < subjects.size(); ++n) {
      const auto& all = subjects[n].result->refusals;
      const auto found = std::ranges::find(all, reason, &results::StoredCount::name);
      row.cells.push_back(found == all.end() ? no_cell()
                                             : from(number_cell(static_cast<double>(found->value)), n,
                                                    fmt::format("refusals[{}].count", found - all.begin())));
    }
    table.rows.push_back(std::move(row));
  }
  return table.rows.empty() ? "" : draw(table);
}

Table fields_table(Subjects subjects, std::string caption, Fields StoredResult::* member) {
  Table table{.caption = std::move(caption), .columns = result_columns(subjects), .rows = {}};
  std::vector<std::string> names;
  for (const Subject& subject : subjects)
    for (const Field& field : subject.result->*member) add_name(names, field.name);
  for (const std::string& name : names) {
    Row row{.name = with_spaces(name), .cells = {}};
    for (const Subject& subject : subjects) {
      const Field* field = find_field(subject.result->*member, name);
      row.cells.push_back(field ? text_cell(field->text) : no_cell());
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table run_table(Subjects subjects) {
  Table table{.caption = "run", .columns = result_columns(subjects), .rows = {}};
  const auto add = [&](std::string name, auto value) {
    Row row{.name = std::move(name), .cells = {}};
    for (const Subject& subject : subjects) row.cells.push_back(text_cell(value(*subject.result)));
    table.rows.push_back(std::move(row));
  };
  WallClockText clock;
  add("started", [&](const StoredResult& r) { return std::string{clock.rfc3339(r.started)}; });
  add("ended", [&](const StoredResult& r) { return std::string{clock.rfc3339(r.ended)}; });
  add("run id", [](const StoredResult& r) { return fmt::format("{}", r.run); });
  add("scenario hash",
      [](const StoredResult& r) { return r.scenario_hash.empty() ? std::string{"–"} : r.scenario_hash; });
  add("workers", [](const StoredResult& r) { return fmt::format("{}", r.workers); });
  add("error of clocks", [](const StoredResult& r) {
    return r.clock ? "at most " + shown_time(static_cast<double>(r.clock->error_ns)) : std::string{"–"};
  });
  return table;
}

/// Those that a merged result was merged of.
std::string parts_table(const Subject& subject) {
  if (subject.result->parts.empty()) return "";
  Table table{.caption = fmt::format("parts of {}", subject.name), .columns = {"part"}, .rows = {}};
  std::vector<std::string> names;
  for (const Fields& part : subject.result->parts)
    for (const Field& field : part) add_name(names, field.name);
  for (const std::string& name : names) table.columns.push_back(with_spaces(name));
  for (std::size_t n = 0; n < subject.result->parts.size(); ++n) {
    Row row{.name = fmt::format("{}", n + 1), .cells = {}};
    for (const std::string& name : names) {
      const Field* field = find_field(subject.result->parts[n], name);
      row.cells.push_back(field ? text_cell(field->text) : no_cell());
    }
    table.rows.push_back(std::move(row));
  }
  return draw(table);
}

}  // namespace

std::string latency_tables(Subjects subjects) {
  std::string text = R"(<h2>Latencies</h2><div class="card">)";
  Table table{.caption = "all latencies",
              .columns = {"", "count", "min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max",
                          "above range", "negative"},
              .rows = {}};
  std::vector<std::string> names{message_latencies.begin(), message_latencies.end()};
  for (const Subject& subject : subjects)
    for (const auto& latency : subject.result->latencies) add_name(names, latency.name);
  for (const std::string& name : names)
    for (std::size_t n = 0; n < subjects.size(); ++n)
      for (const auto& latency : subjects[n].result->latencies)
        if (latency.name == name)
          table.rows.push_back(latency_row(
              latency, n,
              with_spaces(name) + (subjects.size() > 1 ? fmt::format(" · {}", subjects[n].name) : "")));
  if (table.rows.empty()) return text + R"(<p class="soft">None were measured.</p></div>)";
  return text + draw(table) + "</div>";
}

std::string circumstances(Subjects subjects) {
  std::string text = R"(<h2>Counts and circumstances</h2><div class="grid"><div class="card">)";
  text += draw(counts_table(subjects)) + refusals_table(subjects) + R"(</div><div class="card meta">)";
  text +=
      draw(fields_table(subjects, "scenario", &StoredResult::scenario)) + R"(</div><div class="card meta">)";
  text += draw(run_table(subjects)) + draw(fields_table(subjects, "tool", &StoredResult::tool)) +
          R"(</div><div class="card meta">)";
  text += draw(fields_table(subjects, "broker", &StoredResult::broker));
  text += draw(fields_table(subjects, "machine of the tool", &StoredResult::machine)) + "</div></div>";
  std::string parts;
  for (const Subject& subject : subjects) parts += parts_table(subject);
  if (!parts.empty()) text += R"(<h2>Workers</h2><div class="card">)" + parts + "</div>";
  return text;
}

}  // namespace mq::bench::report
