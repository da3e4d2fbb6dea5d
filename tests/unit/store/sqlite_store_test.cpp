// What is written when, and what is not written at all.
#include "shelf.hpp"

namespace mqtt::test {
namespace {

struct Clients {
  DurableRig world;
  Client r{world.rig}, p{world.rig};

  Clients() {
    r.enter("id=r clean session_expiry_interval=1000");
    r.subscribe("t:2");
    p.enter("id=p clean");
  }
};

TEST(SqliteStore, AMessageThatIsAcknowledgedByItsReaderLeavesNothing) {
  Clients c;
  c.p.send("PUBLISH q=1 id=1 t=t p=x");
  c.p.send("PUBLISH q=2 id=2 t=t p=y");
  EXPECT_EQ(c.r.count("PUBLISH"), 2u);
  c.world.advance(1s);
  for (const char* const table : {"message", "delivery", "received"})
    EXPECT_EQ(c.world.count(table), 0) << table;
}

TEST(SqliteStore, AMessageIsKeptOnceForAllWhoWaitForIt) {
  Clients c;
  Client second{c.world.rig};
  second.enter("id=s clean session_expiry_interval=1000");
  second.subscribe("t:1");
  c.r.cut();
  second.cut();
  c.p.send("PUBLISH q=2 id=1 t=t p=x");
  EXPECT_EQ(c.world.count("message"), 1);
  EXPECT_EQ(c.world.count("delivery"), 2);
  second.enter("id=s session_expiry_interval=1000");
  c.world.advance(1s);
  EXPECT_EQ(c.world.count("message"), 1);
  EXPECT_EQ(c.world.count("delivery"), 1);
}

TEST(SqliteStore, WhatNobodyIsToldOfWaitsForATenthOfASecond) {
  Clients c;
  c.r.cut();
  EXPECT_EQ(c.world.count("session WHERE connected = 1"), 1);
  c.world.advance(99ms);
  EXPECT_EQ(c.world.count("session WHERE connected = 1"), 1);
  c.world.advance(1ms);
  EXPECT_EQ(c.world.count("session WHERE connected = 1"), 0);
}

TEST(SqliteStore, WritesWhatHasWaitedWhenItEnds) {
  TimePoint now{};
  Shelf shelf;
  {
    auto store = DurableRig::must(shelf.open(now));
    store->on_session({.id = 3, .client_id = "a", .expiry_interval = 5});
  }
  auto database = store::Database::open(shelf.path(), store::Access::read_only);
  ASSERT_TRUE(database);
  EXPECT_EQ(database->word("SELECT client_id FROM session").value_or(""), "a");
}

TEST(SqliteStore, AReaderThatDoesNotEndStopsALogThatHasGrownTooLong) {
  DurableRig world{{}, 1, Durability::relaxed, 100};
  Client p{world.rig}, r{world.rig};
  p.enter("id=p clean");
  r.enter("id=r clean session_expiry_interval=1000");
  r.subscribe("t:1");
  r.cut();
  auto reader = store::Database::open(world.shelf.path(), store::Access::read_only);
  ASSERT_TRUE(reader && reader->execute("BEGIN; SELECT count(*) FROM message"));
  for (int i = 0; i < 100 && p.is_open(); ++i) p.send("PUBLISH q=1 id=1 t=t p=x");
  ASSERT_NE(world.rig.broker.store_fault(), nullptr);
  EXPECT_THAT(world.rig.broker.store_fault()->context, testing::HasSubstr("reads the database"));
  EXPECT_LT(std::filesystem::file_size(world.shelf.path() + "-wal"), 4200u * 120);
  world.advance(3s);
  EXPECT_NE(world.rig.broker.store_fault(), nullptr);
  ASSERT_TRUE(reader->execute("COMMIT"));
  world.advance(1s);
  EXPECT_EQ(world.rig.broker.store_fault(), nullptr);
}

TEST(SqliteStore, NobodyElseMayReadIt) {
  TimePoint now{};
  Shelf shelf;
  const auto store = DurableRig::must(shelf.open(now));
  for (const char* const part : {"", "-wal", "-commits"}) {
    const auto mode = std::filesystem::status(shelf.path() + part).permissions();
    EXPECT_EQ(mode & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
              std::filesystem::perms::none)
        << part;
  }
}

}  // namespace
}  // namespace mqtt::test
