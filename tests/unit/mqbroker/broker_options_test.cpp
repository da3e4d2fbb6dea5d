#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "mqbroker/options.hpp"
#include "support/temp_directory.hpp"
#include "unit/tools/reading.hpp"

namespace mq {
namespace {

using namespace std::chrono_literals;
using mqtt::broker::ReceiveMaximumPolicy;
using mqtt::broker::SlowConsumer;
using testing::ElementsAre;
using testing::HasSubstr;

struct BrokerOptions : testing::Test {
  Options o{mqbroker_program()};
  BrokerSettings settings;

  BrokerOptions() { declare_broker_options(o, settings); }

  std::string read(const std::vector<std::string>& arguments) { return test::read(o, arguments); }

  std::string read_file(std::string_view text, std::vector<std::string> arguments = {}) {
    const mqtt::test::TempDirectory directory;
    arguments.insert(arguments.begin(), {"-c", directory.write("mq.toml", text)});
    return read(arguments);
  }

  [[nodiscard]] std::vector<std::string> urls() const {
    std::vector<std::string> result;
    for (const ListenerSettings& listener : settings.listeners) result.push_back(listener.place.url());
    return result;
  }
};

TEST_F(BrokerOptions, ListensOnThisMachineByDefault) {
  EXPECT_EQ(read({}), "");
  EXPECT_THAT(urls(), ElementsAre("mqtt://localhost:1883"));
}

TEST_F(BrokerOptions, ShortFormAddsToUrlsThatAreTyped) {
  EXPECT_EQ(read({"--listen", "ws://127.0.0.1:8080", "--listen", "unix:///s", "-p", "1884"}), "");
  EXPECT_THAT(urls(), ElementsAre("ws://127.0.0.1:8080", "unix:///s", "mqtt://localhost:1884"));
}

constexpr std::string_view two_listeners = R"(
listen = "unix:///a"
[[listener]]
url = "mqtt://127.0.0.1:1"
proxy-protocol = true
max-connections = 7
[[listener]]
url = "unix:///b"
unix-mode = "0600"
)";

TEST_F(BrokerOptions, TablesAreListenersWithTheirOwnSettings) {
  EXPECT_EQ(read_file(two_listeners), "");
  EXPECT_THAT(urls(), ElementsAre("unix:///a", "mqtt://127.0.0.1:1", "unix:///b"));
  EXPECT_FALSE(settings.listeners[0].traits.proxy_protocol);
  EXPECT_TRUE(settings.listeners[1].traits.proxy_protocol);
  EXPECT_EQ(settings.listeners[1].traits.connections_max, 7u);
  EXPECT_EQ(settings.listeners[2].traits.unix_mode, mode_t{0600});
  EXPECT_EQ(settings.connections_max, 0u);
}

TEST_F(BrokerOptions, ATableThatDoesNotSayItTakesWhatIsSaidForAll) {
  EXPECT_EQ(read_file(two_listeners, {"--unix-mode", "0666"}), "");
  EXPECT_EQ(settings.listeners[0].traits.unix_mode, mode_t{0666});
  EXPECT_EQ(settings.listeners[2].traits.unix_mode, mode_t{0600});
}

TEST_F(BrokerOptions, TypedPlacesReplaceThoseOfTheFile) {
  EXPECT_EQ(read_file(two_listeners, {"-p", "0"}), "");
  EXPECT_THAT(urls(), ElementsAre("mqtt://localhost:0"));
}

TEST_F(BrokerOptions, TypedUrlReplacesTheFilesPort) {
  EXPECT_EQ(read_file("port = 5\n", {"--listen", "unix:///c"}), "");
  EXPECT_THAT(urls(), ElementsAre("unix:///c"));
}

TEST_F(BrokerOptions, TypedHostKeepsTheFilesPort) {
  EXPECT_EQ(read_file("port = 5\nlisten = [\"unix:///a\"]\n", {"-h", "::1"}), "");
  EXPECT_THAT(urls(), ElementsAre("mqtt://[::1]:5"));
}

TEST_F(BrokerOptions, EveryLimitHasItsPlace) {
  EXPECT_EQ(read({"--receive-maximum",
                  "1",
                  "--max-packet-size",
                  "2KiB",
                  "--topic-alias-maximum",
                  "3",
                  "--max-keepalive",
                  "4",
                  "--max-qos",
                  "1",
                  "--max-session-expiry",
                  "5m",
                  "--max-inflight",
                  "6",
                  "--max-queued-messages",
                  "7",
                  "--max-queued-bytes",
                  "8KiB",
                  "--max-memory",
                  "9KiB",
                  "--write-backlog",
                  "10KiB",
                  "--max-connections",
                  "11",
                  "--max-sessions",
                  "12",
                  "--connect-timeout",
                  "13s",
                  "--max-connect-packet-size",
                  "14KiB",
                  "--max-retained",
                  "15",
                  "--max-retained-bytes",
                  "16",
                  "--max-subscriptions",
                  "17",
                  "--max-subscriptions-total",
                  "18",
                  "--max-topic-levels",
                  "19",
                  "--max-topic-length",
                  "20",
                  "--slow-consumer",
                  "stall",
                  "--slow-consumer-grace",
                  "21s",
                  "--receive-maximum-policy",
                  "tolerant",
                  "--refused-publish",
                  "disconnect"}),
            "");
  const mqtt::broker::Limits& limits = settings.broker.limits;
  EXPECT_EQ(limits.receive_maximum, 1);
  EXPECT_EQ(limits.packet_size, 2048u);
  EXPECT_EQ(limits.topic_alias_maximum, 3);
  EXPECT_EQ(limits.keep_alive_maximum, 4);
  EXPECT_EQ(limits.maximum_qos, mqtt::QoS::at_least_once);
  EXPECT_EQ(limits.session_expiry_maximum, 300u);
  EXPECT_EQ(limits.in_flight, 6);
  EXPECT_EQ(limits.queued_messages, 7u);
  EXPECT_EQ(limits.queued_bytes, 8192u);
  EXPECT_EQ(limits.memory, 9216u);
  EXPECT_EQ(limits.write_backlog, 10240u);
  EXPECT_EQ(settings.connections_max, 11u);
  EXPECT_EQ(limits.sessions, 12u);
  EXPECT_EQ(limits.connect_timeout, 13s);
  EXPECT_EQ(limits.connect_packet_size, 14336u);
  EXPECT_EQ(limits.retained_messages, 15u);
  EXPECT_EQ(limits.retained_bytes, 16u);
  EXPECT_EQ(limits.subscriptions_per_client, 17u);
  EXPECT_EQ(limits.subscriptions, 18u);
  EXPECT_EQ(limits.topic_levels, 19u);
  EXPECT_EQ(limits.topic_length, 20u);
  EXPECT_EQ(settings.broker.slow_consumer, SlowConsumer::stall);
  EXPECT_EQ(settings.broker.slow_consumer_grace, 21s);
  EXPECT_EQ(settings.broker.receive_maximum_policy, ReceiveMaximumPolicy::tolerant);
  EXPECT_TRUE(settings.broker.disconnect_refused_publisher);
}

TEST_F(BrokerOptions, SessionExpiryIsWholeSecondsUpToNever) {
  EXPECT_EQ(read({"--max-session-expiry", "never"}), "");
  EXPECT_EQ(settings.broker.limits.session_expiry_maximum, 0xFFFFFFFFu);
  EXPECT_EQ(read({"--max-session-expiry", "0"}), "");
  EXPECT_EQ(settings.broker.limits.session_expiry_maximum, 0u);
  EXPECT_THAT(read({"--max-session-expiry", "1500ms"}), HasSubstr("whole number of seconds"));
  EXPECT_THAT(read({"--max-session-expiry", "4294967296"}), HasSubstr("whole number of seconds"));
}

TEST_F(BrokerOptions, FlagsSwitchFeaturesOff) {
  EXPECT_EQ(read({"--no-retain", "--no-shared"}), "");
  EXPECT_FALSE(settings.broker.retain_available);
  EXPECT_TRUE(settings.broker.wildcard_available);
  EXPECT_FALSE(settings.broker.shared_available);
}

TEST_F(BrokerOptions, TheFileHasTheSameNames) {
  EXPECT_EQ(
      read_file(
          "max-qos = 0\nno-wildcard = true\nno-shared = false\nmax-session-expiry = 60\nverbose = true\n"
          "slow-consumer = \"disconnect\"\n"),
      "");
  EXPECT_EQ(settings.broker.limits.maximum_qos, mqtt::QoS::at_most_once);
  EXPECT_FALSE(settings.broker.wildcard_available);
  EXPECT_TRUE(settings.broker.shared_available);
  EXPECT_EQ(settings.broker.limits.session_expiry_maximum, 60u);
  EXPECT_TRUE(settings.verbose);
  EXPECT_EQ(settings.broker.slow_consumer, SlowConsumer::disconnect);
}

}  // namespace
}  // namespace mq
