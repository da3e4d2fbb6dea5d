// CONNECT: what is announced, who may come in, and what a refused one leaves.
#include "broker_test.hpp"

#include <fmt/format.h>

#include <mqtt/broker/failed_logins.hpp>

namespace mqtt::test {
namespace {

TEST(BrokerConnect, AnnouncesItsLimits) {
  Rig rig{with_limits([](broker::Limits& limits) {
    limits.receive_maximum = 7;
    limits.packet_size = 1000;
    limits.topic_alias_maximum = 3;
    limits.maximum_qos = QoS::at_least_once;
    limits.keep_alive_maximum = 30;
    limits.session_expiry_maximum = 100;
  })};
  Client a{rig};
  a.connect("id=a clean ka=60 session_expiry_interval=1000");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK maximum_packet_size=1000 session_expiry_interval=100 "
                                    "server_keep_alive=30 receive_maximum=7 topic_alias_maximum=3 "
                                    "maximum_qos=1"));
}

TEST(BrokerConnect, KeepAlive0BecomesTheMaximum) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.keep_alive_maximum = 30; })};
  Client a{rig};
  a.connect("id=a clean ka=0");
  EXPECT_THAT(a.take(), ElementsAre(testing::HasSubstr("server_keep_alive=30")));
  rig.advance(44999ms);
  EXPECT_TRUE(a.is_open());
  rig.advance(1ms);
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x8d", "closed"));
}

TEST(BrokerConnect, AssignsDifferentClientIds) {
  Rig rig;
  Client a{rig}, b{rig}, old{rig, Version::v3_1_1};
  a.connect("clean");
  b.connect("clean");
  old.connect("clean");
  const auto first = a.take(), second = b.take();
  EXPECT_THAT(first, ElementsAre(testing::HasSubstr("assigned_client_identifier=mq-")));
  EXPECT_NE(first, second);
  EXPECT_THAT(old.take(), ElementsAre("CONNACK"));
  EXPECT_EQ(rig.counters().sessions, 3u);
}

TEST(BrokerConnect, GivesAnswersAPlace) {
  Rig rig;
  Client a{rig}, b{rig};
  a.connect("id=a clean request_response_information=1");
  b.connect("id=b clean request_response_information=1");
  const auto first = a.take();
  EXPECT_THAT(first, ElementsAre(testing::HasSubstr("response_information=response/")));
  EXPECT_NE(first, b.take());
  a.cut();
  a.connect("id=a clean request_response_information=1");
  EXPECT_EQ(a.take(), first);
}

TEST(BrokerConnect, RefusesByReasonCode) {
  Rig rig;
  Client a{rig}, old{rig, Version::v3_1_1};
  a.connect("id=a clean user=bad");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x86", "closed"));
  old.connect("id=b clean user=bad");
  EXPECT_THAT(old.take(), ElementsAre("CONNACK rc=0x86", "closed"));
  EXPECT_EQ(rig.counters().connections_refused, 2u);
  EXPECT_EQ(rig.counters().sessions, 0u);
  EXPECT_THAT(rig.events.lines, ElementsAre("refused 2/0x86", "refused 2/0x86"));
}

TEST(BrokerConnect, SilenceIsRefusedInTime) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.connect_timeout = 3s; })};
  Client a{rig};
  a.open();
  rig.advance(2999ms);
  EXPECT_TRUE(a.is_open());
  rig.advance(1ms);
  EXPECT_FALSE(a.is_open());
  EXPECT_EQ(rig.counters().connections_refused, 1u);
  EXPECT_EQ(rig.counters().connections, 0u);
}

TEST(BrokerConnect, TooLargeAConnectIsCutOff) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.connect_packet_size = 100; })};
  Client a{rig};
  a.connect("id=a clean will=t willp=u*100");
  EXPECT_EQ(a.count("CONNACK rc=0x00"), 0u);
  EXPECT_FALSE(a.is_open());
}

TEST(BrokerConnect, SessionsAreLimited) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.sessions = 2; })};
  Client a{rig}, b{rig}, c{rig}, old{rig, Version::v3_1_1};
  a.enter("id=a clean");
  b.enter(fmt::format("id=b clean {}", kept));
  c.connect("id=c clean");
  EXPECT_THAT(c.take(), ElementsAre("CONNACK rc=0x97", "closed"));
  old.connect("id=d clean");
  EXPECT_THAT(old.take(), Contains("closed"));
  b.cut();
  b.connect("id=b");  // its session counts already
  EXPECT_THAT(b.take(), Contains(StartsWith("CONNACK sp")));
}

TEST(BrokerConnect, WhoGuessesPasswordsHasToWait) {
  Rig rig;
  Client a{rig}, old{rig, Version::v3_1_1}, elsewhere{rig};
  a.address = "192.0.2.1:1000";
  old.address = "192.0.2.1:2000";
  elsewhere.address = "192.0.2.2:1000";
  for (std::uint32_t i = 0; i < broker::FailedLogins::free_failures; ++i) {
    a.connect("id=a clean user=bad pass=guess");
    EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x86", "closed"));
  }
  a.connect("id=a clean user=good pass=right");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x9f", "closed"));
  a.connect("id=a clean authentication_method=rounds authentication_data=one");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x9f", "closed"));
  old.connect("id=o clean user=good pass=right");
  EXPECT_THAT(old.take(), ElementsAre("CONNACK rc=0x88", "closed"));
  a.enter("id=a clean");  // nothing to guess with
  elsewhere.enter("id=e clean user=good pass=right");
  rig.advance(broker::FailedLogins::first_wait);
  old.enter("id=o clean user=good pass=right");
}

TEST(BrokerConnect, ExchangesThatBeganBeforeTheWaitDoNotGetAroundIt) {
  Rig rig;
  Client a{rig}, guesser{rig};
  a.address = guesser.address = "192.0.2.1:1000";
  a.connect("id=a clean authentication_method=rounds authentication_data=one");
  (void)a.take();
  for (std::uint32_t i = 0; i < broker::FailedLogins::free_failures; ++i)
    guesser.connect("id=g clean user=bad pass=guess");
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x9f", "closed"));
}

TEST(BrokerLogin, APasswordThatTakesTimeHoldsUpNobodyElse) {
  Rig rig;
  rig.checks_logins = false;
  Client a{rig}, b{rig};
  a.connect("id=a clean user=slow pass=right");
  a.send("SUBSCRIBE id=1 f=t:0");
  EXPECT_THAT(a.take(), IsEmpty());
  b.enter("id=b clean");
  b.send("PUBLISH q=1 id=1 t=t p=early");
  EXPECT_THAT(b.take(), Contains(StartsWith("PUBACK")));
  rig.checks_logins = true;
  rig.run();
  EXPECT_THAT(a.take(), ElementsAre(StartsWith("CONNACK"), StartsWith("SUBACK id=1")));
  b.send("PUBLISH q=0 t=t p=late");
  EXPECT_THAT(a.take(), ElementsAre("PUBLISH q=0 id=0 t=t p=late"));
  EXPECT_THAT(rig.events.lines, Contains("connected a user=slow"));
}

TEST(BrokerLogin, AWrongPasswordIsRefusedAndCounted) {
  Rig rig;
  Client a{rig}, old{rig, Version::v3_1_1};
  a.address = old.address = "192.0.2.1:1000";
  for (std::uint32_t i = 0; i < broker::FailedLogins::free_failures / 2; ++i) {
    a.connect("id=a clean user=slow pass=wrong");
    EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x86", "closed"));
    old.connect("id=o clean user=slow pass=wrong");
    EXPECT_THAT(old.take(), ElementsAre("CONNACK rc=0x86", "closed"));
  }
  a.connect("id=a clean user=slow pass=right");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x9f", "closed"));
  EXPECT_EQ(rig.counters().sessions, 0u);
}

TEST(BrokerLogin, GuessesThatBeginTogetherAreNoMoreThanOneAfterTheOther) {
  Rig rig;
  rig.checks_logins = false;
  std::vector<std::unique_ptr<Client>> guessers;
  constexpr std::size_t guesses = broker::FailedLogins::free_failures + 5;
  for (std::size_t i = 0; i < guesses; ++i) {
    guessers.push_back(std::make_unique<Client>(rig));
    guessers.back()->address = "192.0.2.1:1000";
    guessers.back()->connect(
        fmt::format("id=g{} clean user=slow pass={}", i, i < guesses - 1 ? "x" : "right"));
  }
  // Some have been begun before the first has failed: the answer to them tells no more than to the others.
  std::vector<broker::AuthWork> begun;
  while (auto next = rig.broker.take_auth_work(rig.now)) begun.push_back(std::move(*next));
  EXPECT_EQ(begun.size(), guesses);
  for (const auto& one : begun) rig.broker.decide(rig.now, one.ticket, one.work());
  rig.run();
  for (std::size_t i = 0; i < guesses; ++i)
    EXPECT_THAT(guessers[i]->take(),
                ElementsAre(i < broker::FailedLogins::free_failures ? "CONNACK rc=0x86" : "CONNACK rc=0x9f",
                            "closed"))
        << i;
}

TEST(BrokerLogin, WhoGoesMeanwhileIsForgotten) {
  Rig rig;
  rig.checks_logins = false;
  Client a{rig}, b{rig};
  a.connect("id=a clean user=slow pass=right will=w");
  b.connect("id=b clean user=slow pass=right");
  const auto begun = rig.broker.take_auth_work(rig.now);
  a.cut();
  b.cut();
  ASSERT_TRUE(begun);
  rig.broker.decide(rig.now, begun->ticket, begun->work());
  EXPECT_FALSE(rig.broker.take_auth_work(rig.now)) << "nobody waits for b's";
  EXPECT_EQ(rig.counters().sessions, 0u);
  EXPECT_EQ(rig.counters().memory_bytes, 0u);
  a.connect("id=a clean user=slow pass=right");
  rig.broker.decide(rig.now, begun->ticket, begun->work());
  EXPECT_THAT(a.take(), IsEmpty()) << "the answer to an older question";
}

TEST(BrokerLogin, IsDecidedInTime) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.connect_timeout = 3s; })};
  rig.checks_logins = false;
  Client a{rig};
  a.connect("id=a clean user=slow pass=right");
  const auto begun = rig.broker.take_auth_work(rig.now);
  rig.advance(2999ms);
  EXPECT_TRUE(a.is_open());
  rig.advance(1ms);
  EXPECT_FALSE(a.is_open());
  rig.broker.decide(rig.now, begun->ticket, begun->work());
  EXPECT_EQ(rig.counters().sessions, 0u);
}

TEST(BrokerLogin, ThoseThatWaitAreBounded) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.logins = 1; })};
  rig.checks_logins = false;
  Client a{rig}, b{rig}, old{rig, Version::v3_1_1};
  a.connect("id=a clean user=slow pass=right");
  b.connect("id=b clean user=slow pass=right");
  EXPECT_THAT(b.take(), ElementsAre("CONNACK rc=0x89", "closed"));
  old.connect("id=o clean user=slow pass=right");
  EXPECT_THAT(old.take(), ElementsAre("CONNACK rc=0x88", "closed"));
  rig.checks_logins = true;
  rig.run();
  EXPECT_THAT(a.take(), ElementsAre(StartsWith("CONNACK")));
  b.enter("id=b clean user=slow pass=right");
}

TEST(BrokerConnect, ACheckedWillIsOneThatMayBePublished) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.topic_levels = 3; })};
  rig.access.publish = {"secret"};
  Client a{rig};
  for (const std::string topic : {"secret", "$SYS/x"}) {
    a.connect(fmt::format("id=a clean will={}", topic));
    EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x87", "closed")) << topic;
  }
  a.connect("id=a clean will=1/2/3/4");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x90", "closed"));
  EXPECT_EQ(rig.counters().sessions, 0u);
}

TEST(BrokerConnect, AConnackThatDoesNotFitLeavesNothingBehind) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean session_expiry_interval=60 maximum_packet_size=4");
  EXPECT_THAT(a.take(), ElementsAre("closed"));
  EXPECT_EQ(rig.counters().sessions, 0u);
  EXPECT_THAT(rig.events.lines, Not(Contains(StartsWith("disconnected"))));
}

TEST(BrokerConnect, AConnackThatDoesNotFitLeavesTheSessionAsItWas) {
  for (const std::string_view clean : {"", " clean"}) {
    Rig rig;
    Client w{rig}, a{rig}, p{rig};
    w.enter("id=w clean");
    w.subscribe("will/#");
    a.enter(fmt::format("id=a clean user=al {} will=will/a willp=gone will.will_delay_interval=5", kept));
    a.subscribe("t:1");
    a.cut();
    a.connect(fmt::format("id=a{} maximum_packet_size=4 session_expiry_interval=1", clean));
    EXPECT_FALSE(a.is_open());
    EXPECT_EQ(a.take().back(), "closed");
    rig.advance(4999ms);
    EXPECT_THAT(w.take(), IsEmpty()) << "neither published at once nor begun anew";
    rig.advance(1ms);
    EXPECT_THAT(w.take(), ElementsAre("PUBLISH q=0 id=0 t=will/a p=gone")) << "[MQTT-3.1.2-8]";
    p.enter("id=p clean");
    p.send("PUBLISH q=1 id=1 t=t p=1");
    rig.advance(54s);
    a.connect("id=a");
    EXPECT_THAT(a.take(), ElementsAre(StartsWith("CONNACK sp"), "PUBLISH q=1 id=1 t=t p=1"));
  }
}

TEST(BrokerConnect, AConnackThatDoesNotFitTakesNothingOver) {
  for (const std::string_view clean : {"", " clean"}) {
    Rig rig;
    Client a{rig}, again{rig};
    a.enter(fmt::format("id=a clean user=al {}", kept));
    again.connect(fmt::format("id=a{} user=bo maximum_packet_size=4", clean));
    EXPECT_THAT(again.take(), ElementsAre("closed"));
    a.send("PINGREQ");
    EXPECT_THAT(a.take(), ElementsAre("PINGRESP"));
    a.cut();
    EXPECT_THAT(rig.events.lines,
                ElementsAre("connected a user=al", StartsWith("refused"), StartsWith("disconnected a")));
  }
}

TEST(BrokerAuth, AnExchangeOfTwoSteps) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean authentication_method=rounds authentication_data=one");
  EXPECT_THAT(a.take(), ElementsAre("AUTH rc=0x18 authentication_data=second? authentication_method=rounds"));
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  EXPECT_THAT(a.take(), ElementsAre(testing::HasSubstr("authentication_data=welcome")));
  EXPECT_THAT(rig.events.lines, ElementsAre("connected a user=rounder"));
}

TEST(BrokerAuth, RefusalsAndUnknownMethods) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean authentication_method=rounds");
  a.take();
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=wrong");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x86", "closed"));
  a.connect("id=a clean authentication_method=other");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x8c", "closed"));
  EXPECT_EQ(rig.counters().sessions, 0u);
}

TEST(BrokerAuth, AChallengeThatIsNotAnsweredTimesOut) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean authentication_method=rounds");
  rig.advance(10s);
  EXPECT_FALSE(a.is_open());
}

TEST(BrokerAuth, Again) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean authentication_method=rounds");
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  a.take();
  a.send("AUTH rc=0x19 authentication_method=rounds");
  EXPECT_THAT(a.take(), ElementsAre(StartsWith("AUTH rc=0x18")));
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  EXPECT_THAT(a.take(), ElementsAre("AUTH authentication_data=welcome authentication_method=rounds"));
  a.send("AUTH rc=0x19 authentication_method=rounds");
  a.take();
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=wrong");
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x87", "closed"));
}

TEST(BrokerAuth, EndsTheConnectionInTime) {
  Rig rig;
  Client w{rig}, a{rig};
  w.enter("id=w clean ka=0");
  w.subscribe("will:0");
  a.connect("id=a clean ka=0 authentication_method=rounds will=will");
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  rig.advance(59s);
  a.send("AUTH rc=0x19 authentication_method=rounds");
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  a.take();
  rig.advance(59999ms);
  EXPECT_THAT(a.take(), IsEmpty()) << "from the second on";
  rig.advance(1ms);
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0xa0", "closed"));
  EXPECT_THAT(w.take(), ElementsAre(StartsWith("PUBLISH")));
  EXPECT_FALSE(rig.broker.next_deadline());
}

TEST(BrokerAuth, AnEndThatIsStillToComeGoesWithItsConnection) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean ka=0 authentication_method=rounds");
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  a.cut();
  EXPECT_FALSE(rig.broker.next_deadline());
  a.enter("id=a clean ka=0");
  rig.advance(2min);
  EXPECT_TRUE(a.is_open());
}

}  // namespace
}  // namespace mqtt::test
