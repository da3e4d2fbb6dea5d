// Retained messages: set, cleared, expired, replayed.
#include "routing_test.hpp"

#include <fmt/format.h>
#include <map>
#include <span>

namespace mqtt::test {
namespace {

using broker::BrokerConfig;
using broker::DropReason;

struct RetainedTest : RoutingTest {
  std::vector<std::string> replay(std::string_view filter) {
    Client c{rig};
    c.enter("id=c clean");
    c.subscribe(filter);
    return c.take_messages();
  }
};

TEST_F(RetainedTest, Mqtt_3_3_1_5_IsSetReplacedAndCleared) {
  p.send("PUBLISH retain q=1 id=1 t=a p=1 content_type=t");
  p.send("PUBLISH retain t=a p=2 content_type=u");
  EXPECT_THAT(replay("a:1"), ElementsAre("PUBLISH q=0 id=0 retain t=a p=2 content_type=u"));
  EXPECT_EQ(rig.counters().retained_messages, 1u);
  p.send("PUBLISH retain t=a");
  EXPECT_THAT(replay("a:1"), IsEmpty());
  EXPECT_EQ(rig.counters().retained_messages, 0u);
  EXPECT_EQ(rig.counters().retained_bytes, 0u);
}

TEST_F(RetainedTest, AFilterThatMatchesLittleIsWalkedInPortions) {
  for (int i = 0; i < 50'000; ++i) p.queue(fmt::format("PUBLISH retain t=k/{} p=x", i));
  p.queue("PUBLISH retain t=k/last/of p=y");
  rig.run();
  EXPECT_THAT(replay("+/last/+:1"), ElementsAre("PUBLISH q=0 id=0 retain t=k/last/of p=y"));
  EXPECT_THAT(replay("+/+/none:1"), IsEmpty());
}

TEST_F(RetainedTest, Mqtt_3_3_1_11_RetainHandling) {
  p.send("PUBLISH retain t=a p=x");
  const std::string line = "PUBLISH q=0 id=0 retain t=a p=x";
  s.subscribe("a:0:rh2");
  EXPECT_THAT(s.take(), IsEmpty());
  s.subscribe("a:0:rh1");
  EXPECT_THAT(s.take(), IsEmpty());
  s.subscribe("a:0");
  EXPECT_THAT(s.take(), ElementsAre(line));
  s.send("UNSUBSCRIBE id=1 f=a");
  s.take();
  s.subscribe("a:0:rh1");
  EXPECT_THAT(s.take(), ElementsAre(line));
}

TEST_F(RetainedTest, ExpiresAndCountsDown) {
  p.send("PUBLISH retain t=a p=x message_expiry_interval=10");
  rig.advance(4s);
  EXPECT_THAT(replay("a"), ElementsAre("PUBLISH q=0 id=0 retain t=a p=x message_expiry_interval=6"));
  rig.advance(5999ms);
  EXPECT_EQ(rig.counters().retained_messages, 1u);
  rig.advance(1ms);
  EXPECT_EQ(rig.counters().retained_messages, 0u);
  EXPECT_THAT(rig.store.calls, Contains("retained a -"));
}

TEST_F(RetainedTest, AReplacementHasItsOwnExpiry) {
  p.send("PUBLISH retain t=a p=x message_expiry_interval=10");
  p.send("PUBLISH retain t=a p=y");
  rig.advance(11s);
  EXPECT_THAT(replay("a"), ElementsAre("PUBLISH q=0 id=0 retain t=a p=y"));
}

TEST_F(RetainedTest, NoLocalAndSharedSubscriptionsGetNone) {
  p.send("PUBLISH retain t=a p=x");
  p.subscribe("a:0:nl");
  EXPECT_THAT(p.take(), IsEmpty());
  EXPECT_THAT(replay("$share/g/a:0"), IsEmpty());
  EXPECT_THAT(replay("a:0:nl"), testing::SizeIs(1));
}

TEST_F(RetainedTest, AMessageWithIdentifierOnReplay) {
  p.send("PUBLISH retain q=2 id=1 t=a p=x");
  s.subscribe("a:1", "subscription_identifier=5");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=1 id=1 retain t=a p=x subscription_identifier=5"));
}

TEST(BrokerRetained, LimitsRefuseWhatIsNew) {
  BrokerConfig config;
  config.limits.retained_messages = 2;
  config.limits.retained_bytes = 1000;
  Rig rig{config};
  Client p{rig}, old{rig, Version::v3_1_1}, s{rig};
  p.enter("id=p clean");
  old.enter("id=old clean");
  s.enter("id=s clean");
  s.subscribe("#:0");
  p.send("PUBLISH retain q=1 id=1 t=a p=x");
  p.send("PUBLISH retain q=1 id=2 t=b p=x");
  s.take();
  p.take();
  p.send("PUBLISH retain q=1 id=3 t=c p=x");
  p.send("PUBLISH retain q=1 id=4 t=a p=y");
  p.send("PUBLISH retain q=1 id=5 t=a p=z*900");
  EXPECT_THAT(p.take(), ElementsAre("PUBACK id=3 rc=0x97", "PUBACK id=4", "PUBACK id=5 rc=0x97"));
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 t=a p=y"));
  p.send("PUBLISH retain t=d p=routed");
  old.send("PUBLISH retain q=1 id=1 t=d p=routed");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 t=d p=routed", "PUBLISH q=0 id=0 t=d p=routed"));
  EXPECT_EQ(rig.dropped(DropReason::retained_full), 2u);
  EXPECT_EQ(rig.dropped(DropReason::publish_refused), 2u);
  EXPECT_EQ(rig.counters().retained_messages, 2u);
  old.send("PUBLISH retain q=1 id=2 t=a p=z*900");  // cannot be told, and the old one is out of date
  EXPECT_EQ(rig.counters().retained_messages, 1u);
}

TEST(BrokerRetained, TheLevelsOfTopicsCount) {
  BrokerConfig config;
  config.limits.retained_bytes = 200'000;
  Rig rig{config};
  Client p{rig};
  p.enter("id=p clean");
  std::string deep;
  for (int i = 0; i < 199; ++i) deep += "/a";
  std::size_t accepted = 0;
  for (int i = 0; i < 100; ++i) {
    p.send(fmt::format("PUBLISH retain q=1 id=1 t={}{} p=x", i, deep));
    accepted += p.take() == std::vector<std::string>{"PUBACK id=1 rc=0x10"};
    EXPECT_LE(rig.counters().retained_bytes, 200'000u);
  }
  EXPECT_GE(accepted, 8u);
  EXPECT_LE(accepted, 10u);  // of about 20,000 bytes each
  const std::size_t bytes = rig.counters().retained_bytes;
  p.send(fmt::format("PUBLISH retain q=1 id=1 t=0{}/b p=x", deep.substr(2)));  // shares all levels but one
  EXPECT_EQ(p.take(), std::vector<std::string>{"PUBACK id=1 rc=0x10"});
  EXPECT_LE(rig.counters().retained_bytes, bytes + 700);
  p.send(fmt::format("PUBLISH retain t=0{}/b", deep.substr(2)));
  EXPECT_EQ(rig.counters().retained_bytes, bytes);
  for (int i = 0; i < 100; ++i) p.send(fmt::format("PUBLISH retain t={}{}", i, deep));
  EXPECT_EQ(rig.counters().retained_messages, 0u);
  EXPECT_EQ(rig.counters().retained_bytes, 0u);
}

TEST(BrokerRetained, AReplayIsNeverTruncated) {
  constexpr int topics = 100'000;
  BrokerConfig config;
  config.limits.queued_messages = 4;
  config.limits.queued_bytes = 1000;
  config.limits.memory = 10'000;
  config.limits.write_backlog = 4096;
  Rig rig{config};
  Client p{rig}, s{rig}, q{rig};
  p.enter("id=p clean");
  for (int i = 0; i < topics; ++i)
    p.queue(fmt::format("PUBLISH retain q=1 id=1 t=r/{}/{} p={}", i % 100, i, i));
  rig.run();
  ASSERT_EQ(rig.counters().retained_messages, std::size_t{topics});
  s.enter("id=s clean");
  s.read(false);
  s.queue("SUBSCRIBE id=1 f=#:0");
  rig.run();
  EXPECT_LT(s.connection().output().size(), 2 * config.limits.write_backlog);
  s.read(true);
  rig.run();
  EXPECT_EQ(s.count("PUBLISH"), std::size_t{topics});
  q.enter("id=q clean receive_maximum=3");
  q.subscribe("#:1");
  EXPECT_EQ(q.count("PUBLISH"), std::size_t{topics});
  EXPECT_EQ(rig.dropped(), 0u);
}

TEST(BrokerRetained, AReplayMeetsChanges) {
  BrokerConfig config;
  config.limits.write_backlog = 1;
  Rig rig{config};
  Client p{rig}, s{rig};
  p.enter("id=p clean");
  for (int i = 0; i < 50; ++i) p.send(fmt::format("PUBLISH retain t=r/{:02} p=old", i));
  s.enter("id=s clean");
  s.read(false);
  s.queue("SUBSCRIBE id=1 f=r/#:0");
  rig.run();
  for (int i = 0; i < 50; i += 2) p.send(fmt::format("PUBLISH retain t=r/{:02} p=new", i));
  for (int i = 1; i < 50; i += 4) p.send(fmt::format("PUBLISH retain t=r/{:02}", i));
  s.read(true);
  rig.run();
  // Each topic's last value is its newest, and what was not touched came once.
  std::map<std::string, std::vector<std::string>> seen;
  for (const std::string& line : s.take_messages())
    if (const auto at = line.find("t="); line.starts_with("PUBLISH"))
      seen[line.substr(at + 2, 4)].push_back(line.substr(line.find("p=") + 2));
  for (int i = 0; i < 50; ++i) {
    const auto& values = seen[fmt::format("r/{:02}", i)];
    ASSERT_FALSE(values.empty()) << i;
    EXPECT_EQ(values.back(), i % 2 == 0 ? "new" : i % 4 == 1 ? "" : "old") << i;
    if (i % 4 == 3) {
      EXPECT_EQ(values.size(), 1u) << i;
    }
  }
}

TEST(BrokerRetained, AReplayEndsWithItsSubscriptionAndBeginsAnewOnce) {
  BrokerConfig config;
  config.limits.write_backlog = 1;
  Rig rig{config};
  Client p{rig}, s{rig};
  p.enter("id=p clean");
  for (int i = 0; i < 20; ++i) p.send(fmt::format("PUBLISH retain t=r/{} p=x", i));
  s.enter("id=s clean");
  s.read(false);
  for (int i = 1; i <= 10; ++i) s.queue(fmt::format("SUBSCRIBE id={} f=r/#:0", i));
  rig.run();
  s.read(true);
  rig.run();
  EXPECT_LE(s.count("PUBLISH"), 20u + 10u);
  s.take();
  s.read(false);
  s.queue("SUBSCRIBE id=1 f=r/#:0");
  s.queue("UNSUBSCRIBE id=2 f=r/#");
  rig.run();
  s.read(true);
  rig.run();
  EXPECT_LE(s.count("PUBLISH"), 1u);
}

/// A packet of packet identifier 1 without properties; lines of text would take too long for many filters.
std::string filters_packet(char type, std::span<const std::string> filters) {
  std::string body{"\0\1\0", 3};
  for (const std::string& filter : filters) {
    body += {static_cast<char>(filter.size() >> 8), static_cast<char>(filter.size() & 0xFF)};
    body += filter;
    if (type == '\x82') body += '\0';  // QoS 0
  }
  std::string head{type};
  std::size_t left = body.size();
  for (; left > 0x7F; left >>= 7) head += static_cast<char>(0x80 | (left & 0x7F));
  return head + static_cast<char>(left) + body;
}

/// Bytes as they come: a Client's lines of text would take too long for many filters.
struct RawPeer final : Peer {
  using Peer::Peer;
  void send(std::string_view bytes) {
    output += bytes;
    rig().run();
  }
  std::string take_output(std::size_t size) override {
    std::string taken = output.substr(0, size);
    output.erase(0, taken.size());
    return taken;
  }
  void on_bytes(Bytes bytes) override { input += as_text(bytes); }

  std::string output, input;
};

// Each filter once more while all the others still have their replay before them: a broker that looked
// through those would need minutes.
TEST(BrokerRetained, ManyFiltersInOnePacketCostAsMuchEach) {
  using namespace std::string_view_literals;
  BrokerConfig config;
  config.limits.write_backlog = 1;
  Rig rig{config};
  Client p{rig};
  RawPeer s{rig};
  p.enter("id=p clean");
  p.send("PUBLISH retain t=r p=x");
  s.open();
  s.send("\x10\x0E\0\4MQTT\5\2\0\0\0\0\1s"sv);
  s.read(false);
  std::vector<std::string> filters;
  for (int i = 1; i < 20'000; ++i) filters.push_back(fmt::format("{}", i));
  filters.push_back("r");
  s.send(filters_packet('\x82', filters));
  EXPECT_EQ(rig.counters().subscriptions, filters.size());
  s.send(filters_packet('\x82', std::vector<std::string>(100'000, "r")));
  filters.pop_back();
  s.send(filters_packet('\xA2', filters));
  EXPECT_EQ(rig.counters().subscriptions, 1u);
  s.read(true);
  rig.run();
  const std::size_t message = s.input.find("\0\1r\0x"sv);
  ASSERT_NE(message, std::string::npos);
  EXPECT_EQ(s.input.find("\0\1r\0x"sv, message + 1), std::string::npos);
}

}  // namespace
}  // namespace mqtt::test
