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

TEST(SqliteStore, NobodyElseMayReadIt) {
  TimePoint now{};
  Shelf shelf;
  const auto store = DurableRig::must(shelf.open(now));
  for (const char* const part : {"", "-wal"}) {
    const auto mode = std::filesystem::status(shelf.path() + part).permissions();
    EXPECT_EQ(mode & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
              std::filesystem::perms::none)
        << part;
  }
}

}  // namespace
}  // namespace mqtt::test
