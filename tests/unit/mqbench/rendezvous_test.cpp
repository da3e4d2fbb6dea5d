#include "mqbench/rendezvous.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <tuple>

namespace mq::bench {
namespace {

using Kind = RendezvousMessage::Kind;
using mqtt::Duration;
using mqtt::TimePoint;
using namespace std::chrono_literals;

constexpr std::uint32_t publishers = 1'000;
constexpr std::uint32_t streams = 2'500;

/// A clock that is off and drifts.
struct Clock {
  Duration offset{};
  double drift = 0;

  [[nodiscard]] TimePoint at(Duration truly) const {
    return TimePoint{offset + truly +
                     Duration{static_cast<std::int64_t>(drift * static_cast<double>(truly.count()))}};
  }
};

/// Shards with clocks of their own, and a broker whose ways take their time: what is sent arrives in order,
/// but nobody knows when.
class Hall {
 public:
  struct Guest {
    Clock clock;
    std::unique_ptr<Rendezvous> rendezvous;
    Duration in_order{};  // not earlier than the one before
    bool here = true;
  };
  using Delay = std::function<Duration(std::uint32_t from, std::uint32_t to)>;

  explicit Hall(Delay delay = [](auto, auto) { return Duration{1ms}; }) : delay_{std::move(delay)} {}

  std::size_t add(Shard shard, Clock clock = {}, std::uint64_t scenario = 5) {
    const auto number = static_cast<std::uint64_t>(guests_.size());
    guests_.push_back({.clock = clock,
                       .rendezvous = std::make_unique<Rendezvous>(
                           RendezvousConfig{.shard = shard,
                                            .name = "n",
                                            .nonce = 100 + number,
                                            .run = static_cast<std::uint32_t>(1000 + number),
                                            .scenario = scenario,
                                            .publishers = publishers,
                                            .streams = streams})});
    index_.push_back(shard.index);
    guests_.back().rendezvous->open(clock.at(now_));
    collect(guests_.size() - 1);
    return guests_.size() - 1;
  }
  /// It does nothing, and what comes meanwhile is lost to it.
  void pause(std::size_t number) { guests_[number].here = false; }
  void go_on(std::size_t number) { guests_[number].here = true; }
  void kill(std::size_t number) {
    guests_[number].here = false;
    post(number, guests_[number].rendezvous->last_words());
  }
  void say(std::size_t number, const RendezvousMessage& message, std::optional<std::uint32_t> to) {
    post(number, {to, to_text(message)});
  }

  Rendezvous& operator[](std::size_t number) { return *guests_[number].rendezvous; }
  [[nodiscard]] TimePoint time_of(std::size_t number) const { return guests_[number].clock.at(now_); }
  [[nodiscard]] Duration now() const { return now_; }
  [[nodiscard]] std::size_t size() const { return guests_.size(); }
  void each(const std::function<void(Rendezvous&, TimePoint)>& action) {
    for (std::size_t n = 0; n < guests_.size(); ++n)
      if (guests_[n].here) action(*guests_[n].rendezvous, time_of(n)), collect(n);
  }

  void run_for(Duration time) {
    for (const Duration end = now_ + time; now_ < end; pass_time(end)) step();
  }
  bool run_until(const std::function<bool()>& done, Duration time = 100s) {
    for (const Duration end = now_ + time; now_ < end && !done(); pass_time(end)) step();
    return done();
  }

 private:
  struct Letter {
    Duration when;
    std::uint64_t order;
    std::size_t to;
    std::string text;
    bool operator>(const Letter& other) const {
      return std::tie(when, order) > std::tie(other.when, other.order);
    }
  };

  /// To the next letter, or a little further.
  void pass_time(Duration end) {
    const Duration next = std::min(end, now_ + 5ms);
    now_ = letters_.empty() ? next : std::clamp(letters_.top().when, now_, next);
  }
  void step() {
    while (!letters_.empty() && letters_.top().when <= now_) {
      const Letter letter = letters_.top();
      letters_.pop();
      if (!guests_[letter.to].here) continue;
      guests_[letter.to].rendezvous->receive(guests_[letter.to].clock.at(letter.when), letter.text);
      collect(letter.to);
    }
    for (std::size_t n = 0; n < guests_.size(); ++n) {
      const auto deadline = guests_[n].rendezvous->next_deadline();
      if (!guests_[n].here) continue;
      if (deadline && time_of(n) >= *deadline) guests_[n].rendezvous->on_time(time_of(n));
      collect(n);
    }
  }
  void collect(std::size_t from) {
    for (auto& letter : guests_[from].rendezvous->take_output()) post(from, letter);
  }
  void post(std::size_t from, const Rendezvous::Outgoing& letter) {
    for (std::size_t to = 0; to < guests_.size(); ++to) {
      if (letter.to && *letter.to != index_[to]) continue;
      Duration& earliest = guests_[to].in_order;
      earliest = std::max(earliest, now_ + delay_(index_[from], index_[to]));
      letters_.push({earliest, order_++, to, letter.text});
    }
  }

  Delay delay_;
  Duration now_{};
  std::vector<Guest> guests_;
  std::vector<std::uint32_t> index_;
  std::priority_queue<Letter, std::vector<Letter>, std::greater<>> letters_;
  std::uint64_t order_ = 0;
};

bool all_begun(Hall& hall) {
  bool begun = true;
  hall.each([&](Rendezvous& each, TimePoint) { begun = begun && each.run(); });
  return begun;
}

bool all_started(Hall& hall) {
  bool started = true;
  hall.each([&](Rendezvous& each, TimePoint) { started = started && each.start(); });
  return started;
}

bool all_over(Hall& hall) {
  bool over = true;
  hall.each([&](Rendezvous& each, TimePoint) { over = over && each.over(); });
  return over;
}

bool all_failed(Hall& hall) {
  bool failed = true;
  hall.each([&](Rendezvous& each, TimePoint) { failed = failed && each.failure(); });
  return failed;
}

/// To a running run.
void start(Hall& hall) {
  ASSERT_TRUE(hall.run_until([&] { return all_begun(hall); }));
  hall.each([](Rendezvous& each, TimePoint now) { each.ready(now); });
  ASSERT_TRUE(hall.run_until([&] { return all_started(hall); }));
}

std::vector<std::uint64_t> sent_by(std::uint32_t shard, std::uint32_t count) {
  std::vector<std::uint64_t> sent(streams);
  for (std::uint64_t n = 0; n < streams; ++n)
    if (n % publishers % count == shard) sent[n] = n * 7;
  return sent;
}

void settle(Hall& hall) {
  std::uint32_t index = 0;
  const auto count = static_cast<std::uint32_t>(hall.size());
  hall.each([&](Rendezvous& each, TimePoint now) { each.settle(now, sent_by(index++, count)); });
}

TEST(Rendezvous, AllAgreeOnTheLeadersRunAndStartTogether) {
  Hall hall;
  hall.add({2, 3});
  hall.run_for(700ms);
  hall.add({0, 3});
  hall.run_for(700ms);
  EXPECT_FALSE(hall[0].run());
  EXPECT_FALSE(hall[1].run());
  hall.add({1, 3});
  start(hall);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(hall[n].run(), 1001U);
    EXPECT_GE(*hall[n].start(), hall.time_of(n));
    EXPECT_LE(*hall[n].start() - *hall[1].start(), 1us);
  }
}

TEST(Rendezvous, NobodyStartsBeforeTheLastIsReady) {
  Hall hall;
  for (std::uint32_t n = 0; n < 3; ++n) hall.add({n, 3});
  ASSERT_TRUE(hall.run_until([&] { return all_begun(hall); }));
  hall[0].ready(hall.time_of(0));
  hall[2].ready(hall.time_of(2));
  hall.run_for(10s);
  EXPECT_FALSE(hall[0].start());
  hall[1].ready(hall.time_of(1));
  EXPECT_TRUE(hall.run_until([&] { return all_started(hall); }));
}

TEST(Rendezvous, OneAloneNeedsNobody) {
  Hall hall;
  hall.add({0, 1});
  start(hall);
  hall[0].finish();
  settle(hall);
  EXPECT_TRUE(hall[0].over());
  EXPECT_EQ(hall[0].counts()[10], 70U);
  EXPECT_EQ(hall[0].clock(), ClockOffset{});
}

/// Asymmetric and random delays, offsets of months, 100 ppm of drift each way, a run of 100 seconds.
TEST(Rendezvous, TheBoundOfTheClocksHoldsForTheWholeRun) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    std::mt19937_64 random{seed};
    Hall hall{[&random](std::uint32_t from, std::uint32_t) {
      return Duration{from == 0 ? 200us : 3ms} + Duration{random() % 2'000'000};
    }};
    const std::vector<Clock> clocks{{4'000h, 0}, {-2'000h, 100e-6}, {30min, -100e-6}};
    for (std::uint32_t n = 0; n < 3; ++n) hall.add({n, 3}, clocks[n]);
    start(hall);
    const Duration began = hall.now();
    for (std::size_t n = 1; n < 3; ++n) {
      const Duration apart = clocks[0].at(began) - clocks[n].at(began) - hall[n].clock().offset;
      EXPECT_LE(std::chrono::abs(apart), hall[n].clock().error + 10us);
      EXPECT_LT(hall[n].clock().error, 4ms);
    }
    hall.run_for(100s);
    hall[0].finish();
    ASSERT_TRUE(hall.run_until([&] { return hall[1].finish_asked() && hall[2].finish_asked(); }));
    settle(hall);
    const Duration ended = hall.now();
    ASSERT_TRUE(hall.run_until([&] { return all_over(hall); }));
    for (std::size_t n = 1; n < 3; ++n) {
      const ClockOffset clock = hall[n].clock();
      for (const Duration when : {began, (began + ended) / 2, ended})
        EXPECT_LE(std::chrono::abs(clocks[0].at(when) - clocks[n].at(when) - clock.offset), clock.error);
      EXPECT_GT(clock.error, 9ms);  // of drift alone 10
      EXPECT_LE(clock.error, hall[0].worst_error());
    }
    EXPECT_EQ(hall[1].worst_error(), hall[0].worst_error());
  }
}

TEST(Rendezvous, EverybodyLearnsWhatEachStreamHasSent) {
  Hall hall;
  for (std::uint32_t n = 0; n < 3; ++n) hall.add({n, 3});
  start(hall);
  settle(hall);
  ASSERT_TRUE(hall.run_until([&] { return all_over(hall); }));
  for (std::size_t n = 0; n < 3; ++n)
    for (std::uint64_t stream = 0; stream < streams; ++stream)
      ASSERT_EQ(hall[n].counts()[stream], stream * 7);
}

TEST(Rendezvous, TheLeaderKnowsHowFarAllAre) {
  Hall hall;
  for (std::uint32_t n = 0; n < 3; ++n) hall.add({n, 3});
  start(hall);
  const auto report = [&](bool all_sent) {
    hall.each([&](Rendezvous& each, TimePoint now) { each.report(now, {10, 20, 15, all_sent}); });
    hall.run_for(250ms);
  };
  report(false);
  EXPECT_EQ(hall[0].total().sent, 30U);
  EXPECT_EQ(hall[0].total().expected, 60U);
  EXPECT_EQ(hall[0].total().distinct, 45U);
  EXPECT_FALSE(hall[0].total().all_sent);
  report(true);
  EXPECT_TRUE(hall[0].total().all_sent);
}

TEST(Rendezvous, WhoStopsStopsAll) {
  for (const std::size_t who : {0U, 2U}) {
    Hall hall;
    for (std::uint32_t n = 0; n < 3; ++n) hall.add({n, 3});
    start(hall);
    hall[who].stop();
    hall.run_for(10ms);
    for (std::size_t n = 0; n < 3; ++n) EXPECT_TRUE(hall[n].stop_asked()) << n;
  }
}

TEST(Rendezvous, WhoIsMissingIsNamedByAll) {
  Hall hall;
  hall.add({0, 4});
  hall.add({2, 4});
  ASSERT_TRUE(hall.run_until([&] { return all_failed(hall); }));
  for (std::size_t n = 0; n < 2; ++n) {
    EXPECT_EQ(hall[n].failure()->what, "run 'n': 2 of 4 shards have not come in 60s: 2/4, 4/4");
    EXPECT_EQ(hall[n].failure()->code, ExitCode::deadline);
  }
}

TEST(Rendezvous, WhenTheLeaderWaitsNoLongerNobodyDoes) {
  Hall hall;
  hall.add({0, 4});
  hall.run_for(50s);
  hall.add({2, 4});
  hall.run_for(11s);
  ASSERT_TRUE(hall[0].failure() && hall[1].failure());
  EXPECT_EQ(hall[1].failure()->what, "run 'n': 2 of 4 shards have not come while shard 1/4 waited: 2/4, 4/4");
  EXPECT_EQ(hall[1].failure()->code, ExitCode::deadline);
}

TEST(Rendezvous, AllKnowHowManyHaveCome) {
  Hall hall;
  hall.add({2, 4});
  hall.run_for(1s);
  EXPECT_EQ(hall[0].present(), 1U);
  hall.add({0, 4});
  hall.add({1, 4});
  hall.run_for(1s);
  for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(hall[n].present(), 3U) << n;
  hall.kill(1);
  hall.run_for(100ms);
  EXPECT_EQ(hall[0].present(), 1U);  // without a leader nobody can say
}

TEST(Rendezvous, AMeetingPlaceThatLetsNobodyInIsGivenUp) {
  Rendezvous rendezvous{{.shard = {1, 2}, .name = "n", .publishers = 1, .streams = 1}};
  rendezvous.await(TimePoint{1s});
  rendezvous.on_time(TimePoint{60s});
  EXPECT_FALSE(rendezvous.failure());
  EXPECT_EQ(rendezvous.next_deadline(), TimePoint{61s});
  rendezvous.on_time(TimePoint{61s});
  ASSERT_TRUE(rendezvous.failure());
  EXPECT_EQ(rendezvous.failure()->code, ExitCode::deadline);
}

TEST(Rendezvous, AMissingLeaderIsNamed) {
  Hall hall;
  hall.add({1, 2});
  ASSERT_TRUE(hall.run_until([&] { return all_failed(hall); }));
  EXPECT_EQ(hall[0].failure()->what, "run 'n': shard 1/2, for which all others wait, has not come in 60s");
}

TEST(Rendezvous, OneThatDiesEndsTheOthers) {
  for (const std::size_t dead : {0U, 1U, 2U}) {
    Hall hall;
    for (std::uint32_t n = 0; n < 3; ++n) hall.add({n, 3});
    start(hall);
    hall.kill(dead);
    ASSERT_TRUE(hall.run_until([&] { return all_failed(hall); }));
    for (std::size_t n = 0; n < 3; ++n) {
      if (n == dead) continue;
      EXPECT_EQ(hall[n].failure()->what, "run 'n': shard " + std::to_string(dead + 1) + "/3 has gone");
      EXPECT_EQ(hall[n].failure()->code, ExitCode::connection_lost);
    }
  }
}

TEST(Rendezvous, OneThatDiesWhileOthersAreAwaitedMayComeBack) {
  for (const std::uint32_t dead : {0U, 1U}) {
    Hall hall;
    hall.add({0, 3});
    hall.add({1, 3});
    hall.run_for(1s);
    hall.kill(dead);
    hall.run_for(1s);
    hall.add({2, 3});
    hall.add({dead, 3});
    start(hall);
  }
}

TEST(Rendezvous, TheSameShardTwiceIsRefused) {
  Hall hall;
  hall.add({0, 2});
  for (std::uint32_t n = 0; n < 2; ++n) hall.add({1, 2});
  ASSERT_TRUE(hall.run_until([&] { return hall[2].failure().has_value(); }));
  EXPECT_EQ(hall[2].failure()->what, "run 'n': another process is shard 2/2 of it already");
  EXPECT_TRUE(hall[1].run());
}

TEST(Rendezvous, WhoHadNoTimeToSayHelloKeepsHisPlace) {
  Hall hall;
  hall.add({0, 3});
  hall.add({1, 3});
  hall.run_for(1s);
  hall.pause(1);
  hall.run_for(15s);
  hall.add({1, 3});
  ASSERT_TRUE(hall.run_until([&] { return hall[2].failure().has_value(); }, 1s));
  hall.go_on(1);
  hall.add({2, 3});
  EXPECT_TRUE(hall.run_until([&] { return hall[0].run() && hall[1].run() && hall[3].run(); }));
}

TEST(Rendezvous, OfTwoLeadersThatWaitNeitherLeads) {
  Hall hall;
  for (std::uint32_t n = 0; n < 2; ++n) hall.add({0, 2});
  EXPECT_TRUE(hall.run_until([&] { return all_failed(hall); }));
}

TEST(Rendezvous, ARunningOneIsNotDisturbedByOthersOfItsName) {
  Hall hall;
  for (std::uint32_t n = 0; n < 2; ++n) hall.add({n, 2});
  start(hall);
  for (std::uint32_t n = 0; n < 2; ++n) hall.add({n, 2});
  EXPECT_TRUE(hall.run_until([&] { return hall[2].failure() && hall[3].failure(); }));
  hall.kill(3);
  hall.run_for(1s);
  EXPECT_FALSE(hall[0].failure() || hall[1].failure());
}

TEST(Rendezvous, AnotherCountAndAnotherScenarioAreRefused) {
  Hall hall;
  hall.add({0, 3});
  hall.add({1, 2});
  hall.add({3, 4});
  hall.add({2, 3}, {}, 6);
  ASSERT_TRUE(hall.run_until([&] { return hall[1].failure() && hall[2].failure() && hall[3].failure(); }));
  EXPECT_NE(hall[1].failure()->what.find("another count than 2"), std::string::npos);
  EXPECT_NE(hall[2].failure()->what.find("another count than 4"), std::string::npos);
  EXPECT_NE(hall[3].failure()->what.find("another scenario"), std::string::npos);
  EXPECT_EQ(hall[3].failure()->code, ExitCode::usage);
}

TEST(Rendezvous, CountsThatNeverComeAreGivenUp) {
  Hall hall;
  for (std::uint32_t n = 0; n < 2; ++n) hall.add({n, 2});
  start(hall);
  hall[0].settle(hall.time_of(0), sent_by(0, 2));
  ASSERT_TRUE(hall.run_until([&] { return hall[0].failure().has_value(); }));
  EXPECT_EQ(hall[0].failure()->what, "run 'n': the other shards have not told in 30s what they have sent");
}

TEST(Rendezvous, WhatStrangersSayChangesNothing) {
  Hall hall;
  for (std::uint32_t n = 0; n < 2; ++n) hall.add({n, 2});
  start(hall);
  for (int kind = 0; kind <= static_cast<int>(Kind::ended); ++kind)
    for (std::uint32_t sender = 0; sender < 3; ++sender)
      for (std::uint32_t to = 0; to < 2; ++to)
        hall.say(0, {static_cast<Kind>(kind), sender, 77, {1, 2, 3, 4}}, to);
  hall.run_for(100ms);
  EXPECT_FALSE(hall[0].failure() || hall[1].failure() || hall[0].stop_asked() || hall[1].finish_asked());
}

TEST(RendezvousMessage, IsReadAsItWasWritten) {
  for (const RendezvousMessage& message :
       {RendezvousMessage{Kind::hello, 0, 1, {3, -7}},
        RendezvousMessage{Kind::stop, 1023, ~std::uint64_t{0}, {}},
        RendezvousMessage{Kind::pong, 4, 0xABC, {1, 2, INT64_MIN, INT64_MAX}}})
    EXPECT_EQ(parse_rendezvous_message(to_text(message)), message);
  EXPECT_EQ(to_text({Kind::hello, 2, 0xAB, {3, 9}}), "mqbench1 hello 2 00000000000000ab 3 9");
}

TEST(RendezvousMessage, WhatIsNoneIsNotRead) {
  for (const char* text :
       {"", "mqbench1", "mqbench2 stop 0 00000000000000ab", "mqbench1 stop", "mqbench1 stop 0",
        "mqbench1 stop 0 ab", "mqbench1 stop 0 00000000000000ab 1", "mqbench1 hello 0 00000000000000ab 1",
        "mqbench1 stop x 00000000000000ab", "mqbench1 stop 0 00000000000000ax",
        "mqbench1  stop 0 00000000000000ab", "mqbench1 stop 0 00000000000000ab ",
        "mqbench1 hello 0 00000000000000ab 1 99999999999999999999", "mqbench1 begin 0 00000000000000ab 1x",
        "mqbench1 nonsense 0 00000000000000ab"})
    EXPECT_FALSE(parse_rendezvous_message(text)) << text;
}

}  // namespace
}  // namespace mq::bench
