// A scenario file is refused with a sentence, or what is written of it reads back as the same.
#include <cstdlib>

#include "mqbench/scenario_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto scenario = mq::bench::parse_scenario(mqtt::as_text({data, size}), "f.json");
  if (!scenario) {
    if (!scenario.error().starts_with("f.json:")) std::abort();
    return 0;
  }
  const std::string text = mq::bench::scenario_file(*scenario);
  const auto again = mq::bench::parse_scenario(text, "f.json");
  if (!again || mq::bench::scenario_file(*again) != text) std::abort();
  return 0;
}
