// What a store is told of, and when.
#include "broker_test.hpp"

namespace mqtt::test {
namespace {

struct Told : testing::Test {
  Rig rig;
  Client r{rig}, p{rig};

  void begin(std::string_view reader) {
    r.acknowledges = false;
    r.enter(reader);
    r.subscribe("t:2");
    p.acknowledges = false;
    p.enter("id=p clean session_expiry_interval=60");
    rig.store.take();
  }
};

TEST_F(Told, EachStepOfAQoS2MessageBeforeItsAnswerLeaves) {
  begin("id=r clean session_expiry_interval=60");
  p.send("PUBLISH q=2 id=7 t=t p=x");
  EXPECT_THAT(rig.store.take(), ElementsAre("delivery 1 r q2 x sent 1", "received p 7", "commit!"));
  p.send("PUBREL id=7");
  EXPECT_THAT(rig.store.take(), ElementsAre("released p 7", "commit!"));
  r.send("PUBREC id=1");
  EXPECT_THAT(rig.store.take(), ElementsAre("taken over r 1", "commit!"));
  r.send("PUBCOMP id=1");
  EXPECT_THAT(rig.store.take(), ElementsAre("finished r 1", "commit"));
}

TEST_F(Told, WhatWaitsAndWhatBecomesOfIt) {
  begin("id=r clean session_expiry_interval=60");
  r.cut();
  rig.run();
  EXPECT_THAT(rig.store.take(), ElementsAre("session r 60 away", "commit"));
  p.send("PUBLISH q=1 id=1 t=t p=x");
  p.send("PUBLISH q=1 id=2 t=t message_expiry_interval=1 p=y");
  p.send("PUBLISH t=t p=z");
  EXPECT_THAT(rig.store.take(), ElementsAre("delivery 1 r q1 x", "commit!", "delivery 2 r q1 y", "commit!"));
  rig.advance(2s);
  r.enter("id=r session_expiry_interval=60");
  EXPECT_THAT(rig.store.take(), ElementsAre("session r 60", "sent 1 r 1", "given up 2", "commit!"));
}

TEST_F(Told, NothingOfASessionThatEndsWithItsConnection) {
  begin("id=r clean");
  p.send("PUBLISH q=1 id=1 t=t p=x");
  r.send("PUBACK id=1");
  r.cut();
  rig.run();
  EXPECT_THAT(rig.store.take(), IsEmpty());
}

TEST_F(Told, OfAWillAndOfSharesThatOthersInherit) {
  begin("id=r clean will=w willp=x");
  r.send("SUBSCRIBE id=2 f=$share/g/s:1");
  rig.store.take();
  p.send("PUBLISH q=1 id=1 t=s p=x");
  EXPECT_THAT(rig.store.take(), ElementsAre("delivery 1 r q1 x by $share/g/s sent 1", "commit!"));
  p.send("PUBLISH q=1 id=2 t=t p=y");
  EXPECT_THAT(rig.store.take(), IsEmpty());
  r.send("DISCONNECT");
  EXPECT_THAT(rig.store.take(), ElementsAre("ended r", "commit!")) << "that the Will is withdrawn must last";
}

TEST_F(Told, WhoDependsOnACommitThatFailsIsCutOffAndTheOthersGoOn) {
  begin("id=r clean session_expiry_interval=60");
  Client other{rig};
  other.enter("id=o clean");
  rig.store.broken = true;
  other.send("PINGREQ");
  EXPECT_THAT(other.take(), ElementsAre("PINGRESP"));
  other.send("SUBSCRIBE id=1 f=u:1");
  EXPECT_THAT(other.take(), ElementsAre("SUBACK id=1 rc=0x01")) << "nothing of it is kept";
  r.send("SUBSCRIBE id=2 f=u:1");
  EXPECT_THAT(r.take(), ElementsAre("SUBACK id=2 rc=0x97"));
  r.send("UNSUBSCRIBE id=3 f=t");
  EXPECT_FALSE(r.is_open());
  EXPECT_TRUE(other.is_open());
}

}  // namespace
}  // namespace mqtt::test
