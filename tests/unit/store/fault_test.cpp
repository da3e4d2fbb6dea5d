// A disk that is full, cannot be written, or fails at fsync.
#include "faulty_vfs.hpp"
#include "shelf.hpp"

namespace mqtt::test {
namespace {

class StoreFault : public testing::TestWithParam<DiskFault> {
 protected:
  StoreFault() {
    r.enter("id=r clean session_expiry_interval=1000");
    r.subscribe("t:2");
    p.enter("id=p clean session_expiry_interval=1000");
    q0.enter("id=q clean");
    q0.subscribe("t:0");
    q0.take();
  }

  struct Installed {
    Installed() { install_faulty_vfs(); }
  } installed;
  DurableRig world{{}, 1, Durability::full};  // which syncs
  Client r{world.rig}, p{world.rig}, q0{world.rig};
};

TEST_P(StoreFault, NothingIsAcknowledgedAndNothingIsLost) {
  p.take();
  {
    const FaultyDisk disk{GetParam()};
    p.send("PUBLISH q=1 id=1 t=t p=first");  // the first one to notice
    EXPECT_EQ(p.take(), std::vector<std::string>{"closed"});
    EXPECT_FALSE(r.is_open()) << "it was about to be sent what is not kept";
    ASSERT_NE(world.rig.broker.store_fault(), nullptr);
    EXPECT_THAT(world.rig.broker.store_fault()->context, testing::HasSubstr("cannot write the database"));

    Client other{world.rig}, old{world.rig, Version::v3_1_1};
    other.enter("id=o clean");
    other.send("PUBLISH q=1 id=1 t=t p=second");
    other.send("PUBLISH q=2 id=2 t=t p=third");
    EXPECT_THAT(other.take(), ElementsAre("PUBACK id=1 rc=0x97", "PUBREC id=2 rc=0x97"));
    other.send("PUBLISH t=t p=quick");
    EXPECT_THAT(q0.take_messages(), Contains("PUBLISH q=0 id=0 t=t p=quick")) << "QoS 0 goes on";
    old.connect("id=old clean");
    EXPECT_EQ(old.take().size(), 1u);
    old.send("PUBLISH q=1 id=1 t=t p=x");
    EXPECT_FALSE(old.is_open()) << "3.1.1 has no code to refuse it with";
    p.connect("id=p session_expiry_interval=1000");
    EXPECT_THAT(p.take(), ElementsAre("CONNACK rc=0x88", "closed"));
    world.advance(3s);
    EXPECT_NE(world.rig.broker.store_fault(), nullptr);
  }
  world.advance(1s);  // it tries again by itself
  EXPECT_EQ(world.rig.broker.store_fault(), nullptr);
  r.enter("id=r session_expiry_interval=1000");
  EXPECT_THAT(r.take_messages(), Contains(testing::HasSubstr("p=first")))
      << "routed, though not acknowledged";
  p.enter("id=p session_expiry_interval=1000");
  p.send("PUBLISH q=1 id=1 t=t p=fourth");
  EXPECT_THAT(p.take(), ElementsAre("PUBACK id=1"));
  r.cut();
  p.send("PUBLISH q=1 id=1 t=t p=fifth");
  world.kill();
  r.enter("id=r session_expiry_interval=1000");
  EXPECT_THAT(r.take_messages(), Contains(testing::HasSubstr("p=fifth")));
}

TEST_P(StoreFault, BeforeMqtt5WhatWasRefusedIsNewWhenItComesAgain) {
  Client old{world.rig, Version::v3_1_1};
  old.enter("id=old");
  {
    const FaultyDisk disk{GetParam()};
    p.send("PUBLISH q=1 id=1 t=t p=first");
    old.send("PUBLISH q=2 id=1 t=t p=refused");
    EXPECT_FALSE(old.is_open());
  }
  world.advance(1s);
  old.connect("id=old");
  old.send("PUBLISH dup q=2 id=1 t=t p=refused");
  EXPECT_THAT(old.take(), ElementsAre("CONNACK sp", "PUBREC id=1", "PUBCOMP id=1"));
  r.enter("id=r session_expiry_interval=1000");
  EXPECT_THAT(r.take_messages(), Contains(testing::HasSubstr("p=refused")))
      << "a session waited for its answer for ever";
}

TEST_P(StoreFault, ReadersOfWhatIsKeptWaitAndGoOnByThemselves) {
  r.acknowledges = false;
  r.chunk_max = 1 << 20;
  Client second{world.rig};
  second.enter("id=s clean session_expiry_interval=1000 receive_maximum=1");
  second.acknowledges = false;
  second.subscribe("s:1");
  p.send("PUBLISH q=1 id=1 t=s p=1");
  p.send("PUBLISH q=1 id=2 t=s p=2");
  EXPECT_EQ(second.count("PUBLISH"), 1u);
  {
    const FaultyDisk disk{GetParam()};
    p.send("PUBLISH q=1 id=3 t=t p=x");
    second.send("PUBACK id=1");
    EXPECT_TRUE(second.is_open());
    EXPECT_EQ(second.count("PUBLISH"), 1u) << "the packet identifier of another one could not be kept";
  }
  world.advance(2s);
  EXPECT_EQ(second.count("PUBLISH"), 2u);
}

TEST_P(StoreFault, TopicsThatComeAndGoMeanwhileDoNotPileUp) {
  p.send("PUBLISH q=1 id=1 retain t=kept p=x");
  {
    const FaultyDisk disk{GetParam()};
    p.send("PUBLISH q=1 id=2 t=t p=first");
    ASSERT_NE(world.rig.broker.store_fault(), nullptr);
    for (int i = 0; i < 100; ++i) {
      q0.send(fmt::format("PUBLISH retain t=short/{} p=x", i));
      q0.send(fmt::format("PUBLISH retain t=short/{}", i));
    }
    q0.send("PUBLISH retain t=kept");
    EXPECT_EQ(world.store->waiting_topics(), 1u);
  }
  world.advance(1s);
  EXPECT_EQ(world.count("retained"), 0);
}

TEST_P(StoreFault, ALastWriteThatFailsIsTold) {
  r.cut();  // which waits for a while
  const FaultyDisk disk{GetParam()};
  const auto closed = world.store->close();
  ASSERT_FALSE(closed);
  EXPECT_THAT(closed.error().context, testing::HasSubstr("cannot write the database"));
}

INSTANTIATE_TEST_SUITE_P(All, StoreFault,
                         testing::Values(DiskFault::full, DiskFault::write_error, DiskFault::sync_error));

}  // namespace
}  // namespace mqtt::test
