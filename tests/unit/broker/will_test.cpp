// Wills: when they are published, when not, and as what (3.1.2.5, 3.1.3.2).
#include "broker_test.hpp"

#include <fmt/format.h>

namespace mqtt::test {
namespace {

/// A broker with one who listens to wills.
struct WillTest : testing::Test {
  void SetUp() override {
    watcher.enter("id=w clean");
    watcher.subscribe("will/#:2:rap");
  }
  Rig rig;
  Client watcher{rig};
  Client a{rig};
};

const std::string gone = "PUBLISH q=0 id=0 t=will/a p=gone";

TEST_F(WillTest, Mqtt_3_1_2_8_IsPublishedWhenTheTransportBreaks) {
  a.enter("id=a clean will=will/a willp=gone willq=1 will.content_type=text will.user_property=k:v");
  a.cut();
  rig.run();
  EXPECT_THAT(watcher.take_messages(),
              ElementsAre("PUBLISH q=1 id=1 t=will/a p=gone content_type=text user_property=k:v"));
}

TEST_F(WillTest, Mqtt_3_14_4_3_IsNotAfterDisconnect0) {
  a.enter("id=a clean will=will/a willp=gone");
  a.send("DISCONNECT");
  EXPECT_THAT(watcher.take(), IsEmpty());
}

TEST_F(WillTest, IsAfterDisconnectWithWill) {
  a.enter("id=a clean will=will/a willp=gone");
  a.send("DISCONNECT rc=0x04");
  EXPECT_THAT(watcher.take(), ElementsAre(gone));
}

TEST_F(WillTest, IsAfterAProtocolErrorAndAfterSilence) {
  a.enter("id=a clean will=will/a willp=gone");
  a.send_bytes("\xF0");
  a.send_bytes(std::string(1, '\0'));
  EXPECT_FALSE(a.is_open());
  a.enter("id=a clean ka=2 will=will/a willp=gone");
  rig.advance(3s);
  EXPECT_THAT(watcher.take(), ElementsAre(gone, gone));
}

TEST_F(WillTest, WaitsForItsDelay) {
  a.enter("id=a clean session_expiry_interval=60 will=will/a willp=gone will.will_delay_interval=5");
  a.cut();
  rig.advance(4999ms);
  EXPECT_THAT(watcher.take(), IsEmpty());
  rig.advance(1ms);
  EXPECT_THAT(watcher.take(), ElementsAre(gone));
  rig.advance(100s);
  EXPECT_THAT(watcher.take(), IsEmpty());
}

TEST_F(WillTest, Mqtt_3_1_3_9_IsForgottenIfTheClientIsBackInTime) {
  a.enter("id=a clean session_expiry_interval=60 will=will/a willp=gone will.will_delay_interval=5");
  a.cut();
  rig.advance(4s);
  a.enter("id=a session_expiry_interval=60");
  rig.advance(10s);
  a.cut();
  rig.advance(100s);
  EXPECT_THAT(watcher.take(), IsEmpty());
}

TEST_F(WillTest, AtTheEndOfTheSessionIfThatIsSooner) {
  a.enter("id=a clean session_expiry_interval=3 will=will/a willp=gone will.will_delay_interval=1000");
  a.cut();
  rig.advance(2999ms);
  EXPECT_THAT(watcher.take(), IsEmpty());
  rig.advance(1ms);
  EXPECT_THAT(watcher.take(), ElementsAre(gone));
  EXPECT_EQ(rig.counters().sessions, 1u);
}

// CVE-2019-11778: a session without time has none for its Will's delay either.
TEST_F(WillTest, WithoutSessionExpiryTheDelayIsNone) {
  a.enter("id=a clean will=will/a willp=gone will.will_delay_interval=1000");
  a.cut();
  rig.run();
  EXPECT_THAT(watcher.take(), ElementsAre(gone));
  a.enter("id=a clean session_expiry_interval=60 will=will/a willp=gone will.will_delay_interval=1000");
  a.send("DISCONNECT rc=0x04 session_expiry_interval=0");
  EXPECT_THAT(watcher.take(), ElementsAre(gone));
}

TEST_F(WillTest, IsRetainedIfItSaysSo) {
  a.enter("id=a clean will=will/a willp=gone willr");
  a.cut();
  rig.run();
  EXPECT_THAT(watcher.take(), ElementsAre("PUBLISH q=0 id=0 retain t=will/a p=gone"));
  Client late{rig};
  late.enter("id=late clean");
  late.subscribe("will/a");
  EXPECT_THAT(late.take(), ElementsAre("PUBLISH q=0 id=0 retain t=will/a p=gone"));
}

TEST_F(WillTest, ItsExpiryRunsFromItsPublication) {
  a.enter(
      "id=a clean session_expiry_interval=60 will=will/a willp=gone willr will.will_delay_interval=20 "
      "will.message_expiry_interval=10");
  a.cut();
  rig.advance(20s);
  EXPECT_THAT(watcher.take(),
              ElementsAre("PUBLISH q=0 id=0 retain t=will/a p=gone message_expiry_interval=10"));
  rig.advance(9s);
  EXPECT_EQ(rig.counters().retained_messages, 1u);
  rig.advance(1s);
  EXPECT_EQ(rig.counters().retained_messages, 0u);
}

TEST_F(WillTest, IsNotRetainedWhereNothingIs) {
  broker::BrokerConfig config;
  config.retain_available = false;
  Rig other{config};
  Client w{other}, old{other, Version::v3_1_1}, late{other};
  w.enter("id=w clean");
  w.subscribe("will/a");
  old.enter("id=a clean will=will/a willp=gone willr");
  old.cut();
  other.run();
  EXPECT_THAT(w.take(), ElementsAre(gone));
  EXPECT_EQ(other.counters().retained_messages, 0u);
}

TEST_F(WillTest, ReachesNobodyThatMayNotReadIt) {
  rig.access.receive = {"will/a"};
  a.enter("id=a clean will=will/a willp=gone");
  a.cut();
  rig.run();
  EXPECT_THAT(watcher.take(), IsEmpty());
  EXPECT_EQ(rig.dropped(broker::DropReason::not_authorized), 1u);
}

TEST_F(WillTest, IsNotPublishedOnceItsClientMayNotAnyMore) {
  a.enter("id=a clean will=will/a willp=gone willr");
  rig.access.publish = {"will/a"};
  a.cut();
  rig.run();
  EXPECT_THAT(watcher.take(), IsEmpty());
  EXPECT_EQ(rig.counters().retained_messages, 0u);
  EXPECT_EQ(rig.dropped(broker::DropReason::publish_refused), 1u);
}

TEST_F(WillTest, NoLocalHoldsForARetainedOneToo) {
  a.enter("clean session_expiry_interval=60 will=will/a willp=gone willr will.will_delay_interval=0");
  rig.run();
  // The id was assigned; the session is the watcher's own only by that name.
  const auto lines = rig.events.lines;
  const std::string line = lines.back();
  const std::string id = line.substr(10, line.find(" user") - 10);
  a.cut();
  rig.run();
  a.enter(fmt::format("id={}", id));
  a.subscribe("will/#:0:nl");
  EXPECT_EQ(a.count("PUBLISH"), 0u);
}

}  // namespace
}  // namespace mqtt::test
