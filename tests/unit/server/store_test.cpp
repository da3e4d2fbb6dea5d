#include <unit/server/server_test.hpp>

namespace mqtt::server::test {
namespace {

using Storing = ServerTest;

TEST_F(Storing, NothingIsAcknowledgedBeforeTheCommit) {
  open();
  const auto client = connect("writer");
  std::size_t commits_before = 0;
  std::size_t sent_at_commit = 0;
  const std::uint64_t sent_before = server->broker().counters().bytes_sent;
  store.before_commit = [&] {
    if (server->broker().counters().messages_received == 0 || commits_before != 0) return;
    commits_before = store.commits;
    sent_at_commit = server->broker().counters().bytes_sent - sent_before;
  };
  client->send(message("t", "x", QoS::at_least_once));
  ASSERT_TRUE(wait([&] { return client->count(PacketType::puback) == 1; }));
  EXPECT_GT(commits_before, 0U);
  EXPECT_EQ(sent_at_commit, 0U);
}

TEST_F(Storing, WhatCouldNotBeCommittedIsNotAcknowledged) {
  open();
  const auto bystander = connect("bystander");
  const auto client = connect("writer");
  store.broken = true;
  client->send(message("t", "x", QoS::at_least_once));
  ASSERT_TRUE(wait([&] { return client->over(); }));
  EXPECT_EQ(client->count(PacketType::puback), 0U);
  ASSERT_EQ(events.store_faults.size(), 1U);
  EXPECT_NE(events.store_faults[0].find("no space left"), std::string::npos);

  const auto second = connect("second");  // nothing of it is kept
  second->send(message("t", "x", QoS::at_least_once));
  ASSERT_TRUE(wait([&] { return second->count(PacketType::puback) == 1; }));
  EXPECT_EQ(second->find<PubackView>()->reason, ReasonCode::quota_exceeded);
  EXPECT_EQ(events.store_faults.size(), 1U) << "said once, not for each turn";

  store.broken = false;
  const auto third = connect("third");
  third->send(message("t", "x", QoS::at_least_once));
  EXPECT_TRUE(wait([&] { return third->count(PacketType::puback) == 1; }));
  EXPECT_EQ(events.store_recoveries, 1U);
  EXPECT_FALSE(bystander->over()) << "it had nothing to be told";
}

}  // namespace
}  // namespace mqtt::server::test
