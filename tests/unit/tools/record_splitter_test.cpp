#include "common/record_splitter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

namespace mq {
namespace {

using testing::ElementsAre;

struct Outcome {
  std::vector<std::string> records;
  int fault = 0;
};

/// All records of `text`, fed in slices of `slice` bytes.
Outcome cut(std::string_view text, Framing framing, std::size_t slice) {
  RecordSplitter splitter{framing};
  Outcome outcome;
  for (; !text.empty(); text.remove_prefix(std::min(slice, text.size()))) {
    mqtt::Bytes input = mqtt::as_bytes(text.substr(0, slice));
    for (;;) {
      const auto record = splitter.next(input);
      if (!record) return {outcome.records, record.error().code};
      if (!*record) break;
      outcome.records.push_back(mqtt::to_string(**record));
    }
    EXPECT_TRUE(input.empty());
  }
  const bool pending = splitter.pending();
  const auto last = splitter.finish();
  if (!last) return {outcome.records, last.error().code};
  EXPECT_EQ(pending, last->has_value());
  if (*last) outcome.records.push_back(mqtt::to_string((*last)->bytes));
  return outcome;
}

TEST(RecordSplitter, LengthPrefixIsFourBytesHighestFirst) {
  const std::string stream = std::string("\0\0\0\3a\nb\0\0\0\0\0\0\1\0", 15) + std::string(256, 'x');
  for (const std::size_t slice : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 11u, 260u, 1000u}) {
    const Outcome outcome = cut(stream, Framing::length_prefix, slice);
    EXPECT_EQ(outcome.fault, 0) << slice;
    EXPECT_THAT(outcome.records, ElementsAre("a\nb", "", std::string(256, 'x'))) << slice;
  }
}

TEST(RecordSplitter, ALengthPrefixedStreamThatIsCutOffIsAFault) {
  const std::string_view stream{"\0\0\0\1a\0\0\0\2b", 10};
  for (const std::size_t slice : {1u, 3u, 100u}) {
    EXPECT_EQ(cut(stream, Framing::length_prefix, slice).fault, EBADMSG);
    EXPECT_EQ(cut(stream.substr(0, 7), Framing::length_prefix, slice).fault, EBADMSG);
    EXPECT_THAT(cut(stream, Framing::length_prefix, slice).records, ElementsAre("a"));
    EXPECT_EQ(cut(std::string_view{"\x7f\0\0\0", 4}, Framing::length_prefix, slice).fault, EMSGSIZE);
  }
}

TEST(RecordSplitter, WholeInputIsOneRecordEvenIfEmpty) {
  EXPECT_THAT(cut("a\nb", Framing::whole, 2).records, ElementsAre("a\nb"));
  EXPECT_THAT(cut("", Framing::whole, 2).records, ElementsAre(""));
}

TEST(RecordSplitter, TheNextInputStartsAfresh) {
  RecordSplitter lines{Framing::separator};
  for (const std::string_view text : {"one", "two"}) {
    mqtt::Bytes input = mqtt::as_bytes(text);
    const auto record = lines.next(input);
    ASSERT_TRUE(record && !*record);
    const auto last = lines.finish();
    ASSERT_TRUE(last && *last);
    EXPECT_EQ(mqtt::as_text((*last)->bytes), text);
    EXPECT_FALSE(lines.pending());
  }
}

}  // namespace
}  // namespace mq
