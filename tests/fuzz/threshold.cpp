// A threshold is refused with a reason, or it is judged and reads back as what it is shown as.
#include "mqbench/threshold.hpp"

#include <cstdlib>

#include <mqtt/util/bytes.hpp>

#include "mqbench/run_result.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mq::bench::Threshold;
  static const mq::bench::RunResult result;
  const auto threshold = Threshold::parse(mqtt::as_text({data, size}));
  if (!threshold) return threshold.error().empty() ? std::abort(), 0 : 0;
  const auto again = Threshold::parse(threshold->text());
  if (!again || again->text() != threshold->text()) std::abort();
  for (const double value : {0.0, 1.0, 5e6, 1e18})
    if (threshold->is_met_by(value) != again->is_met_by(value) || threshold->shown(value).empty())
      std::abort();
  (void)mq::bench::judge_threshold(*threshold, result);
  (void)threshold->impossible_in({.subscribers = 0, .rate = 0});
  return 0;
}
