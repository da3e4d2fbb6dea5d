#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/wall_time.hpp"
#include "mqbench/load_search.hpp"
#include "mqbench/run_result.hpp"
#include "mqbench/scenario.hpp"

namespace mq::bench {

/// What is raised and lowered.
enum class SearchQuantity : std::uint8_t {
  rate,     ///< messages per second of all publishers
  clients,  ///< publishers, and the scenario's other numbers in proportion
};

/// What `search` does besides the scenario of its steps.
struct SearchPlan {
  std::vector<Threshold> objectives;
  SearchQuantity quantity = SearchQuantity::rate;
  SearchLimits limits;
};

/// One try: a run of its own.
struct SearchStep {
  double load = 0;
  Attempt attempt = Attempt::good;
  std::string reason;  ///< of one that is not good
  // Of a run that came to its start.
  std::uint32_t run = 0;
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
  double sent_rate = 0;
  double received_rate = 0;
  Histogram latency;  ///< from due to received; in a closed loop from sent to received
  Verdict verdict = Verdict::valid;
};

/// What a run of the search has shown: `objectives` have been judged in it.
[[nodiscard]] SearchStep judge_step(double load, const RunResult& result);

struct SearchResult {
  SearchPlan plan;
  Scenario scenario;
  std::string command_line;
  std::string broker;
  WallTime started;
  WallTime ended;
  bool interrupted = false;
  std::vector<SearchStep> steps;
  std::optional<SearchEnd> end;  ///< nothing if it was interrupted
  std::optional<double> best;
  std::optional<double> bad;

  /// The step where latency begins to be paid for throughput.
  [[nodiscard]] const SearchStep* knee() const;
  /// One sentence: what the limit is, and what limits.
  [[nodiscard]] std::string conclusion() const;
  /// "12345/s", "40 publishers"
  [[nodiscard]] std::string shown(double load) const;
};

/// For people, as the search goes: what is searched for and the table's head; a line for each step; the end.
[[nodiscard]] std::string search_head(const SearchPlan& plan, const Scenario& scenario);
[[nodiscard]] std::string search_line(const SearchStep& step);
[[nodiscard]] std::string search_end(const SearchResult& result);
/// One JSON object and a line feed: mqbench-search.schema.json.
[[nodiscard]] std::string as_json(const SearchResult& result);

}  // namespace mq::bench
