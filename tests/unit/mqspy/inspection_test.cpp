#include "mqspy/inspection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <semaphore>
#include <utility>

namespace mq::spy {
namespace {

using mqtt::Sender;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view pingreq{"\xC0\0", 2};

/// Notes what it is told, and can be held up, as by a pipe that nobody reads.
class Notes final : public RecordSink {
 public:
  void on_open(const OpenRecord& record) override {
    told.push_back(fmt::format("open {}", record.link.number));
    if (!std::exchange(held_, false)) return;
    reached_.release();
    released_.acquire();
  }
  void on_packet(const PacketRecord& record) override {
    told.push_back(fmt::format("packet {}", record.link.number));
  }
  void on_close(const CloseRecord& record) override {
    told.push_back(fmt::format("close {}", record.link.number));
  }
  void on_gap(const GapRecord& record) override {
    told.push_back(
        fmt::format("gap {} {} {}", record.link.number, record.sender == Sender::client, record.bytes));
  }
  void on_fault(const FaultRecord&) override { told.emplace_back("fault"); }
  void on_note(const NoteRecord&) override { told.emplace_back("note"); }

  /// By the next connection.
  void hold() { held_ = true; }
  void wait_until_held() { reached_.acquire(); }
  void release() { released_.release(); }

  std::vector<std::string> told;  // the other thread's, until it is over

 private:
  bool held_ = false;
  std::binary_semaphore reached_{0}, released_{0};
};

/// An inspection that is held up by the first connection until end().
class Held {
 public:
  explicit Held(std::size_t waiting_max)
      : inspection{notes, [this](Inspection::Progress made) { on_progress(made); }, waiting_max} {
    notes.hold();
    first = inspection.open({}, now);
    inspection.wake();
    notes.wait_until_held();
  }
  void end() {
    inspection.end(now);
    notes.release();
    over_.acquire();
  }
  void bytes(std::size_t count) {
    inspection.bytes(first, Sender::client, now, mqtt::as_bytes(std::string(count, 'x')));
  }
  void disturb() {
    Recorder::Disturbance what{};
    what.time = now;
    inspection.disturbed(first, what);
  }

  Notes notes;
  std::vector<Inspection::Progress> progress;  // but for up_to_date, which depends on who is faster
  mqtt::TimePoint now{std::chrono::seconds{1}};
  Inspection inspection;
  std::uint64_t first = 0;

 private:
  void on_progress(Inspection::Progress made) {
    if (made != Inspection::Progress::up_to_date) progress.push_back(made);
    if (made == Inspection::Progress::over) over_.release();
  }
  std::binary_semaphore over_{0};
};

TEST(Inspection, TellsInOrderWhatItWasGiven) {
  Held held{Inspection::waiting_max_bytes};
  const std::uint64_t second = held.inspection.open({}, held.now);
  for (const std::uint64_t link : {second, held.first, second})
    held.inspection.bytes(link, Sender::client, held.now, mqtt::as_bytes(pingreq));
  held.inspection.close(second, {});
  held.end();
  EXPECT_THAT(held.notes.told,
              ElementsAre("open 1", "open 2", "packet 2", "packet 1", "packet 2", "close 2", "close 1"));
  EXPECT_EQ(held.inspection.looked_at(), 6u);
}

TEST(Inspection, WhatIsMuchCanBeWrittenBeforeAllIsLookedAt) {
  Held held{Inspection::waiting_max_bytes};
  for (int n = 0; n < 3; ++n)
    held.inspection.bytes(held.first, Sender::client, held.now, mqtt::as_bytes(pingreq));
  held.end();
  using enum Inspection::Progress;
  EXPECT_THAT(held.progress, ElementsAre(going_on, going_on, going_on, going_on, over));
}

TEST(Inspection, WhatDoesNotFitIsAGapOfItsDirection) {
  Held held{10'000};
  held.bytes(9'000);
  held.bytes(9'000);
  held.inspection.bytes(held.first, Sender::server, held.now, mqtt::as_bytes(std::string(9'000, 'x')));
  held.bytes(9'000);
  held.inspection.close(held.first, {});
  held.end();
  EXPECT_EQ(held.inspection.skipped().bytes, 27'000u);
  EXPECT_THAT(std::vector(held.notes.told.end() - 3, held.notes.told.end()),
              ElementsAre("gap 1 true 18000", "gap 1 false 9000", "close 1"));
}

TEST(Inspection, ThereIsRoomAgainOnceSomethingWasLookedAt) {
  Held held{10'000};
  held.bytes(9'000);
  held.bytes(9'000);
  held.notes.release();
  std::uint64_t skipped = 0;
  do {
    skipped = held.inspection.skipped().bytes;
    held.bytes(1);
  } while (held.inspection.skipped().bytes > skipped);
  held.inspection.close(held.first, {});
  held.end();
  EXPECT_GE(skipped, 9'000u);
  EXPECT_THAT(std::vector(held.notes.told.end() - 2, held.notes.told.end()),
              ElementsAre(fmt::format("gap 1 true {}", skipped), "close 1"));
}

TEST(Inspection, AConnectionThatDoesNotFitIsNotLookedAt) {
  Held held{300};
  while (held.inspection.skipped().bytes == 0) held.bytes(1);
  const std::uint64_t second = held.inspection.open({}, held.now);
  EXPECT_EQ(second, 0u);
  held.inspection.bytes(second, Sender::client, held.now, mqtt::as_bytes(pingreq));
  held.inspection.close(second, {});
  held.end();
  EXPECT_EQ(held.inspection.skipped().links, 1u);
  EXPECT_THAT(held.notes.told, ::testing::Not(::testing::Contains("open 2")));
}

TEST(Inspection, AFiringThatDoesNotFitIsCounted) {
  Held held{10'000};
  int fitted = -1;
  for (; held.inspection.skipped().firings == 0; ++fitted) held.disturb();
  held.end();
  EXPECT_GT(fitted, 0);
  EXPECT_EQ(std::ranges::count(held.notes.told, "fault"), fitted);
}

TEST(Inspection, AThreadThatIsHeldUpMakesNoProgress) {
  Held held{Inspection::waiting_max_bytes};
  EXPECT_EQ(held.inspection.looked_at(), 0u);
  EXPECT_THAT(held.progress, IsEmpty());
  held.end();
}

}  // namespace
}  // namespace mq::spy
