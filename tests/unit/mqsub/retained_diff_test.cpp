#include "mqsub/retained_diff.hpp"

#include <gtest/gtest.h>

namespace mq {
namespace {

constexpr auto everything = [](std::string_view) { return true; };

void add(RetainedDiff& diff, std::string_view topic, std::string_view payload) {
  diff.add({.retain = true, .topic = topic, .payload = mqtt::as_bytes(payload)});
}

std::string text(const RetainedDiff& diff) {
  std::string out;
  diff.append(out);
  return out;
}

TEST(RetainedDiff, SaysWhatIsNewGoneAndOther) {
  auto diff = RetainedDiff::read(
      "{\"topic\":\"b\",\"payload\":\"1\"}\n"
      "{\"event\":\"connected\"}\n"
      "{\"topic\":\"a\",\"payload\":\"AAH/\",\"encoding\":\"base64\"}\n"
      "{\"topic\":\"c\",\"payload\":\"1\"}",
      everything);
  ASSERT_TRUE(diff) << diff.error();
  add(*diff, "a", std::string_view{"\0\1\xff", 3});
  add(*diff, "b", "2");
  add(*diff, "d", "new");
  EXPECT_EQ(text(*diff), "~ b\n- c\n+ d\n");
  EXPECT_TRUE(diff->differs());
}

TEST(RetainedDiff, IsOfWhatWasAskedForOnly) {
  auto diff = RetainedDiff::read("{\"topic\":\"a\",\"payload\":\"1\"}\n{\"topic\":\"b\",\"payload\":\"1\"}\n",
                                 [](std::string_view topic) { return topic == "a"; });
  ASSERT_TRUE(diff);
  add(*diff, "a", "1");
  EXPECT_FALSE(diff->differs());
  EXPECT_EQ(text(*diff), "");
}

TEST(RetainedDiff, NamesTheLineThatCannotBeRead) {
  const auto diff = RetainedDiff::read("{\"topic\":\"a\",\"payload\":\"1\"}\n{\n", everything);
  ASSERT_FALSE(diff);
  EXPECT_TRUE(diff.error().starts_with("line 2: ")) << diff.error();
}

}  // namespace
}  // namespace mq
