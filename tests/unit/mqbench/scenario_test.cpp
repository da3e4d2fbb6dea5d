#include "mqbench/scenario.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "mqbench/plan.hpp"
#include "mqbench/preflight.hpp"

namespace {

using mq::bench::find_foreign_source;
using mq::bench::Resources;
using mq::bench::Scenario;
using mq::bench::TopicPattern;
using mq::bench::Wiring;

/// Everything that publishers, subscribers and topics can be to each other.
template <class Check>
void for_each_shape(Check check) {
  for (const Wiring wiring : {Wiring::pairs, Wiring::all, Wiring::shared})
    for (const std::uint32_t publishers : {1U, 2U, 5U, 6U})
      for (const std::uint32_t subscribers : {0U, 1U, 3U, 5U, 12U})
        for (const char* topics : {"x", "{t}", "{t:1}", "{t:4}", "{t:13}"}) {
          SCOPED_TRACE(testing::Message() << publishers << ' ' << subscribers << ' ' << topics);
          check(Scenario{.publishers = publishers,
                         .subscribers = subscribers,
                         .wiring = wiring,
                         .pattern = *TopicPattern::parse(topics)});
        }
}

TEST(Scenario, ReceiversAreThoseWhoReceive) {
  for_each_shape([](const Scenario& scenario) {
    for (std::uint32_t stream = 0; stream < scenario.streams(); ++stream) {
      std::uint32_t count = 0;
      for (std::uint32_t n = 0; n < scenario.subscribers; ++n) count += scenario.receives(n, stream);
      if (scenario.wiring == Wiring::shared) count = std::min(count, 1U);
      EXPECT_EQ(scenario.receivers_of(stream), count) << stream;
      EXPECT_EQ(count == 0, scenario.subscribers == 0);
    }
  });
}

TEST(Scenario, AStreamIsOnePublishersOnOneTopicWithoutGaps) {
  for_each_shape([](const Scenario& scenario) {
    std::set<std::uint32_t> topics;
    for (std::uint32_t publisher = 0; publisher < scenario.publishers; ++publisher) {
      std::map<std::uint32_t, std::uint64_t> sent;
      for (std::uint64_t number = 0; number < 40; ++number) {
        const std::uint32_t stream = scenario.stream_of(publisher, number);
        ASSERT_LT(stream, scenario.streams());
        EXPECT_EQ(stream % scenario.publishers, publisher);
        EXPECT_EQ(scenario.sequence_of(publisher, number), sent[stream]++);
        topics.insert(scenario.topic_of(stream));
        for (const auto& [each, count] : sent) EXPECT_EQ(scenario.sent_of(each, number + 1), count);
      }
    }
    EXPECT_EQ(topics.size(), scenario.topics());
  });
}

TEST(Scenario, WhoTakesAllHasOneFilter) {
  const Scenario few{.publishers = 5, .subscribers = 2, .pattern = *TopicPattern::parse("{run}/{t:6}")};
  EXPECT_EQ(mq::bench::make_plan(few, 10, "").filters_of(1),
            (std::vector<std::string>{"00000a/1", "00000a/3", "00000a/5"}));
  const Scenario one{.publishers = 5, .subscribers = 1, .pattern = *TopicPattern::parse("{run}/{t:6}")};
  EXPECT_EQ(mq::bench::make_plan(one, 10, "").filters_of(0), (std::vector<std::string>{"00000a/+"}));
}

TEST(Scenario, ScalingLeavesSomeOfWhatThereIs) {
  Scenario scenario{.publishers = 1, .subscribers = 1'000, .rate = 500, .ramp = 100};
  scenario.scale_by(0.01);
  EXPECT_EQ(scenario.publishers, 1U);
  EXPECT_EQ(scenario.subscribers, 10U);
  EXPECT_EQ(scenario.rate, 5);
  EXPECT_EQ(scenario.ramp, 1);
  EXPECT_EQ(scenario.scale, 0.01);
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
  for (const auto& preset : mq::bench::presets()) {
    EXPECT_EQ(find_fault(preset.scenario), std::nullopt) << preset.scenario.name;
    EXPECT_EQ(mq::bench::find_preset(preset.scenario.name), &preset);
  }
  EXPECT_EQ(mq::bench::find_preset("FAN-IN"), mq::bench::find_preset("fan-in"));
  EXPECT_EQ(mq::bench::find_preset("nothing"), nullptr);
  EXPECT_EQ(mq::bench::nearest_preset("fanin"), "fan-in");
  EXPECT_EQ(mq::bench::nearest_preset("nothing"), "");
}

std::string shortage(const Scenario& scenario, Resources resources, bool unix_socket = false,
                     const mq::bench::BrokerList& brokers = {}) {
  mq::ConnectionConfig connection;
  if (unix_socket) connection.unix_path = "/socket";
  const auto found = find_shortage(scenario, brokers, connection, 2, resources);
  return found ? found->text : "";
}

TEST(Preflight, CountsDescriptorsAndPorts) {
  Scenario scenario{.publishers = 900, .subscribers = 100};
  EXPECT_EQ(shortage(scenario, {.descriptors = 1'064, .ports = 1'000}), "");
  EXPECT_EQ(shortage(scenario, {.descriptors = 1'063, .ports = 1'000}),
            "1000 clients need 1064 descriptors, and this process may have 1063: 1 too few");
  EXPECT_NE(shortage(scenario, {.descriptors = 9'999, .ports = 999}).find(": 1 too few"), std::string::npos);
  EXPECT_EQ(shortage(scenario, {.descriptors = 9'999, .ports = 999}, true), "");
  const auto url = [](const char* text) { return *mqtt::parse_endpoint(text); };
  EXPECT_EQ(
      shortage(scenario, {.descriptors = 9'999, .ports = 500}, false,
               {.urls = {url("mqtt://a"), url("mqtt://b")}, .publish_to = {1, 2}, .subscribe_from = {1, 2}}),
      "");
  EXPECT_NE(shortage(scenario, {.descriptors = 9'999, .ports = 899}, false,
                     {.urls = {url("mqtt://a"), url("mqtt://b")}, .publish_to = {1}, .subscribe_from = {2}})
                .find("900 clients of a:1883 need"),
            std::string::npos);
  scenario.sources = {"127.0.0.1", "127.0.0.2"};
  EXPECT_EQ(shortage(scenario, {.descriptors = 9'999, .ports = 500}), "");
}

TEST(Preflight, NamesASourceAddressThatTheMachineDoesNotHave) {
  EXPECT_EQ(find_foreign_source(Scenario{.sources = {"127.0.0.1", "127.0.0.7"}}), std::nullopt);
  const auto found =
      find_foreign_source(Scenario{.sources = {"127.0.0.1", "192.0.2.1"}});  // TEST-NET-1: nobody's
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->text, "source address 192.0.2.1: Cannot assign requested address");
}

TEST(Preflight, SaysWhoMayHaveToWaitForAListener) {
  const Scenario scenario{.publishers = 900, .subscribers = 100, .ramp = 500};
  EXPECT_EQ(find_crowding(scenario, {.backlog = 500}), std::nullopt);
  EXPECT_EQ(find_crowding(scenario, {.backlog = 0}), std::nullopt) << "not known";
  const auto found = find_crowding(scenario, {.backlog = 499});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->text,
            "500 clients come within a second, and a broker on this machine lets 499 wait "
            "(net.core.somaxconn): 1 may have "
            "to try again");
  EXPECT_EQ(find_crowding(Scenario{.publishers = 400, .ramp = 1e9}, {.backlog = 499}), std::nullopt);
}

}  // namespace
