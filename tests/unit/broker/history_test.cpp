// Random histories of several clients and a broker with small limits, held to what the specification and
// config.hpp promise, whatever is cut, taken over, slow, or full.
#include "member.hpp"

#include <deque>
#include <map>

#include <fmt/format.h>

namespace mqtt::test {
namespace {

using broker::BrokerConfig;
using broker::DropReason;
using broker::SlowConsumer;

/// One history. What may be lost depends on what it does.
class History {
 public:
  explicit History(std::uint64_t seed) : dice_{seed}, gentle_{dice_.one_in(2)}, rig_{make_config(), seed} {
    const std::size_t count = 2 + dice_.below(3);
    for (std::size_t i = 0; i < count; ++i) {
      const Version version = dice_.of({Version::v5, Version::v5, Version::v3_1_1});
      members_.push_back(
          std::make_unique<Member>(rig_, static_cast<int>(i), version, gentle_ || dice_.one_in(2)));
      members_.back()->chunk_max = dice_.of<std::size_t>({5, 60, 1000, 65'536});
    }
  }

  void play() {
    for (const auto& member : members_) member->connect(dice_);
    rig_.run();
    const std::size_t steps = 20 + dice_.below(100);
    for (std::size_t i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) step();
    settle();
    check();
  }

 private:
  BrokerConfig make_config() {
    BrokerConfig config;
    broker::Limits& limits = config.limits;
    limits.receive_maximum = dice_.of<std::uint16_t>({1, 2, 5, 100});
    limits.queued_messages = gentle_ && dice_.one_in(2) ? 10'000 : dice_.of<std::size_t>({1, 2, 3, 8});
    limits.queued_bytes = dice_.of<std::size_t>({300, 1000, 100'000});
    // A gentle history cuts nobody off: what is queued for those who are away has no bound there.
    if (!gentle_ && dice_.one_in(3)) limits.memory = dice_.of<std::size_t>({1000, 5000});
    limits.in_flight = dice_.of<std::uint16_t>({1, 2, 10});
    limits.write_backlog = dice_.of<std::size_t>({1, 100, 10'000});
    limits.topic_alias_maximum = dice_.of<std::uint16_t>({0, 1, 10});
    config.slow_consumer = dice_.of({SlowConsumer::drop, SlowConsumer::stall});
    if (!gentle_ && dice_.one_in(3)) config.slow_consumer = SlowConsumer::disconnect;
    return config;
  }

  Member& any() { return *members_[dice_.below(members_.size())]; }

  void step() {
    Member& member = any();
    switch (dice_.below(gentle_ ? 8 : 15)) {
      case 0: member.read(false); break;
      case 1: member.read(true); break;
      // In a gentle history a reader that stops does so for less than its grace.
      case 2: gentle_ ? read_all() : rig_.advance(std::chrono::milliseconds{dice_.below(8000)}); break;
      case 8: member.cut(); break;
      case 14: member.vanish(); break;
      case 9:
        if (member.connected()) member.disconnect();
        break;
      case 10:
      case 11:
        if (!member.is_open()) member.connect(dice_);
        break;
      default: publish(member);
    }
    if (dice_.one_in(2))
      rig_.run();
    else
      member.step();
  }

  void publish(Member& member) {
    const auto qos = static_cast<QoS>(dice_.below(3));
    const std::string padding(dice_.of<std::size_t>({0, 10, 400}), 'x');
    for (std::size_t i = dice_.below(6); i > 0; --i) {
      (void)member.publish(static_cast<int>(dice_.below(topics)), qos, padding);
    }
  }

  void read_all() {
    for (const auto& member : members_) member->read(true);
    rig_.run();
  }

  /// Everybody is there and reads, so everything comes to rest.
  void settle() {
    for (int round = 0; round < 3; ++round) {
      for (const auto& member : members_) {
        member->read(true);
        if (!member->is_open()) member->connect(dice_);
      }
      rig_.run();
    }
    rig_.advance(20s);
    for (const auto& member : members_)
      if (!member->is_open()) member->connect(dice_);
    rig_.run();
  }

  void check() {
    EXPECT_EQ(rig_.counters().queued_messages, 0u);
    EXPECT_EQ(rig_.counters().queued_bytes, 0u);
    EXPECT_EQ(rig_.counters().memory_bytes, 0u);
    EXPECT_EQ(rig_.counters().sessions, members_.size());
    EXPECT_EQ(rig_.counters().connections, members_.size());
    EXPECT_TRUE(rig_.abandoned.empty());
    for (const auto& member : members_) {
      EXPECT_TRUE(member->connected());
      EXPECT_TRUE(member->idle()) << member->name() << " has messages that were never acknowledged";
      EXPECT_EQ(member->losses, 0u);
      check_order(*member);
    }
    if (gentle_) check_nothing_lost();
  }

  /// Rising numbers, for each QoS; QoS 2 never twice.
  void check_order(const Member& member) {
    for (const auto& [from, notes] : member.heard) {
      const Member& publisher = *members_[static_cast<std::size_t>(from.first)];
      std::map<QoS, int> last;
      std::set<int> seen;
      for (const Note& note : notes) {
        const bool again = !seen.insert(note.number).second;
        // A publisher whose session the broker lost sends QoS 2 anew.
        const bool may_repeat =
            note.qos == QoS::at_least_once || (note.qos == QoS::exactly_once && !publisher.keeps_session());
        EXPECT_TRUE(!again || may_repeat)
            << "QoS " << int{to_number(note.qos)} << " came twice: " << note.number;
        // What is sent again comes late to one that it was dropped for at first.
        if (again || (may_repeat && !gentle_)) continue;
        EXPECT_LT(last[note.qos], note.number)
            << "QoS " << int{to_number(note.qos)} << " out of order at " << member.name();
        last[note.qos] = note.number;
      }
    }
  }

  /// Nobody was away: each message of QoS 1 and 2 that anybody sent is with all, and nothing at all was
  /// dropped if that is the policy.
  void check_nothing_lost() {
    EXPECT_EQ(rig_.counters().messages_received, sum_published());
    if (rig_.broker.config().slow_consumer == SlowConsumer::stall) {
      EXPECT_EQ(rig_.dropped(), 0u);
    }
    EXPECT_EQ(rig_.counters().messages_sent + rig_.dropped(),
              rig_.counters().messages_received * members_.size());
    for (const auto& from : members_)
      for (int topic = 0; topic < topics; ++topic)
        for (const auto& to : members_) check_all_came(*from, topic, *to);
  }

  void check_all_came(const Member& from, int topic, const Member& to) {
    const auto place = std::ranges::find_if(members_, [&](const auto& m) { return m.get() == &from; });
    const int number = static_cast<int>(place - members_.begin());
    const auto taken = from.taken.find(topic);
    if (taken == from.taken.end()) return;
    std::set<int> came;
    if (const auto heard = to.heard.find({number, topic}); heard != to.heard.end())
      for (const Note& note : heard->second) came.insert(note.number);
    for (const Note& note : taken->second)
      EXPECT_TRUE(came.contains(note.number)) << "message " << note.number << " of QoS "
                                              << int{to_number(note.qos)} << " never came to " << to.name();
  }

  [[nodiscard]] std::uint64_t sum_published() const {
    std::uint64_t sum = 0;
    for (const auto& member : members_)
      for (const auto& [topic, count] : member->published) sum += static_cast<std::uint64_t>(count);
    return sum;
  }

  Dice dice_;
  bool gentle_;  // nobody goes away, and nobody stops for long
  Rig rig_;
  std::vector<std::unique_ptr<Member>> members_;
};

/// MQ_HISTORIES and MQ_HISTORY_SEED: how many, and from which seed.
TEST(BrokerHistory, HoldsWhateverHappens) {
  const std::uint64_t first = number_from("MQ_HISTORY_SEED", 1);
  const std::uint64_t count = number_from("MQ_HISTORIES", 2000);
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("MQ_HISTORY_SEED={} MQ_HISTORIES=1", seed));
    History{seed}.play();
  }
}

}  // namespace
}  // namespace mqtt::test
