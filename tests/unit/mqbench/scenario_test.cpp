#include "mqbench/scenario.hpp"

#include <gtest/gtest.h>

#include "mqbench/preflight.hpp"

namespace {

using mq::bench::Resources;
using mq::bench::Scenario;
using mq::bench::Wiring;

TEST(Scenario, ReceiversAreThoseWhoReceive) {
  for (const Wiring wiring : {Wiring::pairs, Wiring::all})
    for (const std::uint32_t publishers : {1U, 2U, 5U, 6U})
      for (const std::uint32_t subscribers : {0U, 1U, 3U, 5U, 12U}) {
        const Scenario scenario{.publishers = publishers, .subscribers = subscribers, .wiring = wiring};
        for (std::uint32_t publisher = 0; publisher < publishers; ++publisher) {
          std::uint32_t count = 0;
          for (std::uint32_t n = 0; n < subscribers; ++n) count += scenario.receives(n, publisher);
          EXPECT_EQ(scenario.receivers_of(publisher), count)
              << publishers << ' ' << subscribers << ' ' << publisher;
        }
      }
}

TEST(Scenario, ACountIsSharedOutToTheLastMessage) {
  for (const std::uint64_t count : {1U, 6U, 7U, 8U, 1'000U}) {
    const Scenario scenario{.publishers = 7, .count = count};
    std::uint64_t sum = 0;
    for (std::uint32_t publisher = 0; publisher < 7; ++publisher) sum += scenario.limit_of(publisher);
    EXPECT_EQ(sum, count);
  }
}

TEST(Scenario, PresetsAreFoundByName) {
  for (const auto& preset : mq::bench::presets())
    EXPECT_EQ(mq::bench::find_preset(preset.scenario.name), &preset);
  EXPECT_EQ(mq::bench::find_preset("nothing"), nullptr);
}

std::string shortage(const Scenario& scenario, Resources resources, bool unix_socket = false) {
  mq::ConnectionConfig connection;
  if (unix_socket) connection.unix_path = "/socket";
  const auto found = find_shortage(scenario, connection, 2, resources);
  return found ? found->text : "";
}

TEST(Preflight, CountsDescriptorsAndPorts) {
  Scenario scenario{.publishers = 900, .subscribers = 100};
  EXPECT_EQ(shortage(scenario, {.descriptors = 1'064, .ports = 1'000}), "");
  EXPECT_EQ(shortage(scenario, {.descriptors = 1'063, .ports = 1'000}),
            "1000 clients need 1064 descriptors, and this process may have 1063: 1 too few");
  EXPECT_NE(shortage(scenario, {.descriptors = 9'999, .ports = 999}).find(": 1 too few"), std::string::npos);
  EXPECT_EQ(shortage(scenario, {.descriptors = 9'999, .ports = 999}, true), "");
  scenario.sources = {"127.0.0.1", "127.0.0.2"};
  EXPECT_EQ(shortage(scenario, {.descriptors = 9'999, .ports = 500}), "");
}

}  // namespace
