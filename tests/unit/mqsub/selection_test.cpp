#include "mqsub/selection.hpp"

#include <gtest/gtest.h>

namespace mq {
namespace {

using mqtt::Version;
using namespace std::chrono_literals;

constexpr mqtt::TimePoint start{};

SelectionConfig with(void (*change)(SelectionConfig&)) {
  SelectionConfig config;
  change(config);
  return config;
}

struct Judge {
  SelectionConfig config;
  Selection selection{config, 7};

  explicit Judge(SelectionConfig c) : config{std::move(c)} {}
  Verdict operator()(std::string_view topic, std::string_view payload, bool retain = false,
                     mqtt::Duration at = 0s, Version version = Version::v5) {
    return selection.judge({.retain = retain, .topic = topic, .payload = mqtt::as_bytes(payload)}, version,
                           start + at);
  }
};

TEST(Selection, ShowsEverythingUnlessAskedOtherwise) {
  Judge judge{{}};
  EXPECT_EQ(judge("a", "x"), Verdict::show);
  EXPECT_EQ(judge("a", "x", true), Verdict::show);
}

TEST(Selection, FiltersOutBeforeAnythingElse) {
  Judge judge{with([](SelectionConfig& c) { c.filter_out = {"a/#", "+/b"}, c.retained_only = true; })};
  EXPECT_EQ(judge("a", "x"), Verdict::filtered_out);
  EXPECT_EQ(judge("x/b", "x", true), Verdict::filtered_out);
  EXPECT_EQ(judge("x", "x", true), Verdict::show);
  EXPECT_EQ(judge("x", "x"), Verdict::end);
}

TEST(Selection, Trap24_FreshGoesByTheFlagBefore5Only) {
  Judge judge{with([](SelectionConfig& c) { c.fresh = true; })};
  EXPECT_EQ(judge("a", "x", true, 0s, Version::v3_1_1), Verdict::skip);
  EXPECT_EQ(judge("a", "x", true, 0s, Version::v5), Verdict::show);
}

TEST(Selection, ASnapshotIsOfRetainedMessages) {
  Judge judge{with([](SelectionConfig& c) { c.snapshot = true; })};
  EXPECT_EQ(judge("a", "x", true), Verdict::show);
  EXPECT_EQ(judge("a", "x"), Verdict::skip);
}

TEST(Selection, EveryIsCountedFromTheLastShown) {
  Judge judge{with([](SelectionConfig& c) { c.at_most_every = 1s; })};
  EXPECT_EQ(judge("a", "1", false, 0ms), Verdict::show);
  EXPECT_EQ(judge("a", "2", false, 999ms), Verdict::skip);
  EXPECT_EQ(judge("b", "1", false, 999ms), Verdict::show);
  EXPECT_EQ(judge("a", "3", false, 1000ms), Verdict::show);
  EXPECT_EQ(judge("a", "4", false, 1999ms), Verdict::skip);
}

TEST(Selection, AChangeThatEveryHeldBackIsShownWhenItIsDue) {
  Judge judge{with([](SelectionConfig& c) { c.changes = true, c.at_most_every = 1s; })};
  EXPECT_EQ(judge("a", "1", false, 0ms), Verdict::show);
  EXPECT_EQ(judge("a", "2", false, 500ms), Verdict::skip);
  EXPECT_EQ(judge("a", "2", false, 1500ms), Verdict::show);
  EXPECT_EQ(judge("a", "2", false, 3000ms), Verdict::skip);
}

}  // namespace
}  // namespace mq
