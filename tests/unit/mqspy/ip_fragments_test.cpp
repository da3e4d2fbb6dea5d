#include "mqspy/ip_fragments.hpp"

#include <string>

#include <gtest/gtest.h>

namespace mq::spy {
namespace {

class Fragments : public testing::Test {
 protected:
  /// What it completes, as text; "" if nothing.
  std::string add(std::uint32_t id, std::uint32_t offset, std::string_view text, bool last = false,
                  int second = 0) {
    IpFragment fragment;
    fragment.id = id;
    fragment.offset = offset;
    fragment.next = offset == 0 ? 6 : 0;
    fragment.more = !last;
    fragment.complete = complete_;
    fragment.time = mqtt::TimePoint{std::chrono::seconds{second}};
    fragment.bytes = mqtt::as_bytes(text);
    const auto whole = fragments_.add(fragment);
    if (whole) {
      EXPECT_EQ(whole->next, 6);
    }
    return whole ? std::string{mqtt::as_text(whole->bytes)} : std::string{};
  }

  bool complete_ = true;
  IpFragments fragments_{{.packets_max = 3, .waiting_max_bytes = 64}};
};

TEST_F(Fragments, AreTogetherInWhateverOrderTheyCome) {
  EXPECT_EQ(add(1, 0, "abcdefgh"), "");
  EXPECT_EQ(add(1, 8, "ij", true), "abcdefghij");
  EXPECT_EQ(add(2, 16, "x", true), "");
  EXPECT_EQ(add(2, 8, "ijklmnop"), "");
  EXPECT_EQ(add(2, 0, "abcdefgh"), "abcdefghijklmnopx");
  EXPECT_EQ(fragments_.left(), 0u);
  EXPECT_EQ(fragments_.waiting_bytes(), 0u);
}

TEST_F(Fragments, OfTwoPacketsAreKeptApart) {
  EXPECT_EQ(add(1, 0, "aaaaaaaa"), "");
  EXPECT_EQ(add(2, 0, "bbbbbbbb"), "");
  EXPECT_EQ(add(2, 8, "2", true), "bbbbbbbb2");
  EXPECT_EQ(add(1, 8, "1", true), "aaaaaaaa1");
}

TEST_F(Fragments, OneThatComesTwiceIsTakenOnce) {
  EXPECT_EQ(add(1, 0, "abcdefgh"), "");
  EXPECT_EQ(add(1, 0, "abcdefgh"), "");
  EXPECT_EQ(add(1, 8, "i", true), "abcdefghi");
}

TEST_F(Fragments, Rfc5722_ThatOverlapAreDropped) {
  add(1, 0, "abcdefghijklmnop");
  EXPECT_EQ(add(1, 8, "XXXXXXXXY", true), "");
  EXPECT_EQ(fragments_.left(), 2u);
  EXPECT_EQ(fragments_.waiting_bytes(), 0u);
  add(2, 8, "x", true);
  EXPECT_EQ(add(2, 8, "ijklmnop"), "") << "behind the last one";
  EXPECT_EQ(fragments_.left(), 4u);
}

TEST_F(Fragments, ThatCannotBeAreCounted) {
  EXPECT_EQ(add(1, 0, "abc"), "") << "not the last one, and no multiple of eight";
  EXPECT_EQ(add(1, 65'528, "abcdefghi", true), "") << "behind the end of the largest packet";
  EXPECT_EQ(add(1, 8, "", true), "");
  complete_ = false;
  EXPECT_EQ(add(1, 0, "abcdefgh"), "") << "cut by the capture";
  EXPECT_EQ(fragments_.left(), 4u);
}

TEST_F(Fragments, WaitWithinBounds) {
  for (std::uint32_t id = 1; id <= 4; ++id) add(id, 0, "abcdefgh");
  EXPECT_EQ(fragments_.waiting_bytes(), 24u) << "three packets";
  EXPECT_EQ(add(1, 8, "i", true), "") << "the oldest has been dropped";
  EXPECT_EQ(add(4, 8, "i", true), "abcdefghi");
  add(5, 0, std::string(56, 'x'));
  EXPECT_LE(fragments_.waiting_bytes(), 64u);
}

TEST_F(Fragments, AreNotWaitedForForEver) {
  add(1, 0, "abcdefgh", false, 0);
  EXPECT_EQ(add(1, 8, "i", true, 61), "");
  EXPECT_EQ(fragments_.left(), 2u);
}

}  // namespace
}  // namespace mq::spy
