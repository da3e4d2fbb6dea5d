// Random histories of clients whose broker is killed again and again: what a broker makes of a database has
// to go on as if it had never stopped. In some the disk fails for a while, too.
#include <optional>
#include <set>

#include <unit/broker/member.hpp>

#include "faulty_vfs.hpp"
#include "shelf.hpp"

namespace mqtt::test {
namespace {

class DurableHistory {
 public:
  /// `disk_fails`: now and then nothing can be written or made durable for a while.
  DurableHistory(std::uint64_t seed, bool disk_fails)
      : dice_{seed},
        disk_fails_{disk_fails},
        world_{make_config(), seed, disk_fails ? Durability::full : Durability::relaxed} {
    const std::size_t count = 2 + dice_.below(3);
    for (std::size_t i = 0; i < count; ++i) {
      const Version version = dice_.of({Version::v5, Version::v5, Version::v3_1_1});
      members_.push_back(std::make_unique<Member>(world_.rig, static_cast<int>(i), version, true));
      members_.back()->chunk_max = dice_.of<std::size_t>({5, 60, 1000, 65'536});
      members_.back()->store_fails = disk_fails;
    }
  }

  void play() {
    connect_all();
    const std::size_t steps = 20 + dice_.below(80);
    for (std::size_t i = 0; i < steps && !testing::Test::HasFailure(); ++i) step();
    settle();
    check();
  }

 private:
  broker::BrokerConfig make_config() {
    broker::BrokerConfig config;
    broker::Limits& limits = config.limits;
    limits.receive_maximum = dice_.of<std::uint16_t>({1, 2, 5, 100});
    limits.in_flight = dice_.of<std::uint16_t>({1, 2, 10});
    limits.write_backlog = dice_.of<std::size_t>({1, 100, 10'000});
    limits.topic_alias_maximum = dice_.of<std::uint16_t>({0, 1, 10});
    return config;
  }

  void step() {
    if (disk_fails_ && dice_.one_in(8)) break_or_mend_disk();
    Member& member = *members_[dice_.below(members_.size())];
    switch (dice_.below(12)) {
      case 0: member.read(false); break;
      case 1: member.read(true); break;
      case 2: world_.advance(std::chrono::milliseconds{dice_.below(300)}); break;
      case 3: member.cut(); break;
      case 4:
      case 5:
        if (!member.is_open()) member.connect(dice_);
        break;
      case 6: kill(); break;
      default: publish(member);
    }
    if (dice_.one_in(2))
      world_.run();
    else
      member.step();
  }

  void break_or_mend_disk() {
    if (fault_)
      fault_.reset();
    else
      fault_.emplace(dice_.of({DiskFault::full, DiskFault::write_error, DiskFault::sync_error}));
  }

  void publish(Member& member) {
    const auto qos = static_cast<QoS>(dice_.below(3));
    const std::string padding(dice_.of<std::size_t>({0, 10, 400}), 'x');
    for (std::size_t i = dice_.below(6); i > 0; --i)
      (void)member.publish(static_cast<int>(dice_.below(topics)), qos, padding);
  }

  void kill() {
    fault_.reset();  // with it the next one would not start
    world_.kill();
    // Nobody has left: whoever was connected is expected, with all that it had subscribed to.
    std::size_t subscribed = 0;
    for (const auto& member : members_) subscribed += member->subscribed();
    EXPECT_EQ(world_.rig.counters().connections, 0u);
    EXPECT_GE(world_.rig.counters().subscriptions, subscribed);
  }

  void connect_all() {
    for (const auto& member : members_) {
      member->read(true);
      if (!member->is_open()) member->connect(dice_);
    }
    world_.run();
  }

  /// Everybody is there and reads, so everything comes to rest; the last broker is killed, too.
  void settle() {
    fault_.reset();
    world_.advance(2s);  // it tries again by itself
    for (int round = 0; round < 3; ++round) connect_all();
    world_.advance(20s);
    world_.kill();
    connect_all();
    world_.advance(20s);
    connect_all();
  }

  void check() {
    EXPECT_EQ(world_.rig.counters().queued_messages, 0u);
    EXPECT_EQ(world_.rig.counters().memory_bytes, 0u);
    EXPECT_EQ(world_.rig.counters().sessions, members_.size());
    for (const char* const table : {"message", "delivery", "received"})
      EXPECT_EQ(world_.count(table), 0) << table;
    EXPECT_EQ(world_.count("session"), static_cast<std::int64_t>(members_.size()));
    for (const auto& member : members_) {
      EXPECT_TRUE(member->connected());
      EXPECT_TRUE(member->idle()) << member->name() << " has messages that were never acknowledged";
      EXPECT_EQ(member->losses, 0u) << "its session was gone";
    }
    for (std::size_t from = 0; from < members_.size(); ++from)
      for (int topic = 0; topic < topics; ++topic)
        for (const auto& to : members_) check_flow(static_cast<int>(from), topic, *to);
  }

  /// Whatever was acknowledged has come, at QoS 2 once, and in order.
  void check_flow(int from, int topic, const Member& to) {
    const Member& publisher = *members_[static_cast<std::size_t>(from)];
    const auto heard = to.heard.find({from, topic});
    std::set<int> came;
    std::map<QoS, int> last;
    if (heard != to.heard.end())
      for (const Note& note : heard->second) {
        const bool again = !came.insert(note.number).second;
        EXPECT_FALSE(again && note.qos == QoS::exactly_once) << "QoS 2 came twice: " << note.number;
        if (again || note.qos == QoS::at_most_once) continue;
        EXPECT_LT(last[note.qos], note.number) << "out of order at " << to.name();
        last[note.qos] = note.number;
      }
    const auto taken = publisher.taken.find(topic);
    if (taken == publisher.taken.end()) return;
    for (const Note& note : taken->second)
      EXPECT_TRUE(came.contains(note.number)) << "message " << note.number << " of QoS "
                                              << int{to_number(note.qos)} << " never came to " << to.name();
  }

  Dice dice_;
  bool disk_fails_;
  DurableRig world_;
  std::vector<std::unique_ptr<Member>> members_;
  std::optional<FaultyDisk> fault_;
};

/// MQ_HISTORIES and MQ_HISTORY_SEED: how many, and from which seed.
void play_histories(bool disk_fails) {
  const std::uint64_t first = number_from("MQ_HISTORY_SEED", 1);
  const std::uint64_t count = number_from("MQ_HISTORIES", 50);
  for (std::uint64_t seed = first; seed < first + count && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("MQ_HISTORY_SEED={} MQ_HISTORIES=1", seed));
    DurableHistory{seed, disk_fails}.play();
  }
}

TEST(DurableHistory, ABrokerThatWasKilledGoesOnWhereItWas) { play_histories(false); }

TEST(DurableHistory, ADiskThatFailsForAWhileLosesNothingEither) {
  install_faulty_vfs();
  play_histories(true);
}

}  // namespace
}  // namespace mqtt::test
