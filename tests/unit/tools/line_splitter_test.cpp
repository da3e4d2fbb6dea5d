#include "common/line_splitter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

namespace mq {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// All records of `text`, fed in slices of `slice` bytes.
std::vector<std::string> records(std::string_view text, std::string separator = "\n",
                                 std::size_t slice = 1'000'000) {
  LineSplitter splitter{std::move(separator)};
  std::vector<std::string> found;
  for (; !text.empty(); text.remove_prefix(std::min(slice, text.size()))) {
    mqtt::Bytes input = mqtt::as_bytes(text.substr(0, slice));
    for (auto record = splitter.next(input); record && *record; record = splitter.next(input))
      found.push_back(mqtt::to_string(**record));
    EXPECT_TRUE(input.empty());
  }
  if (const auto last = splitter.finish()) found.push_back(mqtt::to_string(*last));
  return found;
}

TEST(LineSplitter, TakesAwayExactlyOneSeparator) {
  EXPECT_THAT(records(""), IsEmpty());
  EXPECT_THAT(records("\n"), ElementsAre(""));
  EXPECT_THAT(records("a"), ElementsAre("a"));
  EXPECT_THAT(records("a\n"), ElementsAre("a"));
  EXPECT_THAT(records("a\n\n b \r\n"), ElementsAre("a", "", " b \r"));
  EXPECT_THAT(records("\n\na"), ElementsAre("", "", "a"));
}

TEST(LineSplitter, AnyByteMayStandInARecord) {
  const std::string text{"a\0b\n\xff\0\n", 7};
  EXPECT_THAT(records(text), ElementsAre(std::string("a\0b", 3), std::string("\xff\0", 2)));
  EXPECT_THAT(records(text, std::string(1, '\0')), ElementsAre("a", "b\n\xff", "\n"));
}

TEST(LineSplitter, SlicesDoNotMatter) {
  struct Case {
    std::string text, separator;
  };
  for (const auto& [text, separator] :
       {Case{"one\ntwo\n\nthree", "\n"}, Case{"a--b---c----", "--"}, Case{"aaXaXXaXaY", "aX"},
        Case{"ababac-abac", "abac"}, Case{"1aab2aaab3", "aab"}}) {
    const auto whole = records(text, separator);
    for (std::size_t slice = 1; slice <= text.size(); ++slice)
      EXPECT_EQ(records(text, separator, slice), whole) << text << slice;
  }
  EXPECT_THAT(records("a--b---c----", "--"), ElementsAre("a", "b", "-c", ""));
  EXPECT_THAT(records("1aab2aaab3", "aab"), ElementsAre("1", "2a", "3"));
}

TEST(LineSplitter, WholeRecordIsAViewOfTheInput) {
  const std::string text = "abc\n";
  LineSplitter splitter;
  mqtt::Bytes input = mqtt::as_bytes(text);
  const auto record = splitter.next(input);
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->data(), mqtt::as_bytes(text).data());
}

TEST(LineSplitter, LongestRecordPassesAndOneMoreIsAnError) {
  const auto outcome = [](std::string_view text, std::size_t slice) {
    LineSplitter splitter{"\n", 4};
    for (; !text.empty(); text.remove_prefix(std::min(slice, text.size()))) {
      mqtt::Bytes input = mqtt::as_bytes(text.substr(0, slice));
      while (!input.empty())
        if (const auto record = splitter.next(input); !record) return record.error().code;
    }
    return 0;
  };
  for (const std::size_t slice : {1u, 2u, 3u, 4u, 5u, 6u, 100u}) {
    EXPECT_EQ(outcome("abcd\nabcd\nabcd", slice), 0) << slice;
    EXPECT_EQ(outcome("abcd\nabcde\n", slice), EMSGSIZE) << slice;
    EXPECT_EQ(outcome("abcde", slice), EMSGSIZE) << slice;
  }
}

}  // namespace
}  // namespace mq
