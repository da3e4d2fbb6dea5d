// Any text is a result of mqbench or a fault in one line; what was read must be written and read again as the
// same, can be merged with itself under another run id, and drawn.
#include <cstdlib>
#include <vector>

#include <mqtt/util/bytes.hpp>

#include "mqbench/report/page.hpp"
#include "mqbench/results/merge.hpp"
#include "mqbench/results/stored_result.hpp"

using namespace mq::bench;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = results::parse_result(mqtt::as_text({data, size}), "fuzz.json");
  if (!read) {
    require(read.error().starts_with("fuzz.json: "));
    return 0;
  }
  const std::string written = results::as_json(*read);
  const auto again = results::parse_result(written, "fuzz.json");
  require(again && results::as_json(*again) == written);
  std::vector parts{*read, *read};
  parts[1].run ^= 1;
  if (const auto merged = results::merge(parts, results::MergeRule::any)) {
    require(merged->result.count("sent") == 2 * read->count("sent"));
    const auto sum = results::parse_result(results::as_json(merged->result), "all.json");
    require(!sum || sum->latencies.size() == read->latencies.size());
  }
  require(report::page(parts).ends_with("</html>\n"));
  return 0;
}
