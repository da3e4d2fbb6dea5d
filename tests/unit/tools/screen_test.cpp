#include "common/screen.hpp"

#include <gtest/gtest.h>

namespace mq {
namespace {

TEST(Screen, OpensAndClosesOnce) {
  Screen screen;
  std::string out;
  screen.close(out);
  EXPECT_EQ(out, "");
  screen.open(out);
  EXPECT_EQ(out, "\x1b[?1049h\x1b[?25l\x1b[?7l");
  out.clear();
  screen.close(out);
  screen.close(out);
  EXPECT_EQ(out, "\x1b[?7h\x1b[?25h\x1b[?1049l");
}

TEST(Screen, DrawsNoMoreThanItsSize) {
  const Screen screen;
  std::string out;
  screen.draw(out, {"heading", "ünïcode", "third"}, {.columns = 3, .rows = 2});
  EXPECT_EQ(out, "\x1b[H\x1b[7mhea\x1b[K\x1b[0m\r\nünï\x1b[K");
  out.clear();
  screen.draw(out, {"h"}, {.columns = 3, .rows = 2});
  EXPECT_EQ(out, "\x1b[H\x1b[7mh\x1b[K\x1b[0m\r\n\x1b[J");
}

TEST(Screen, SaysTheUsualSizeWhereThereIsNone) {
  EXPECT_EQ(screen_size(-1).columns, 80U);
  EXPECT_EQ(screen_size(-1).rows, 24U);
}

TEST(CutToColumns, CountsTheCellsThatATerminalUses) {
  EXPECT_EQ(cut_to_columns("水水水", 5), "水水");
  EXPECT_EQ(cut_to_columns("🦀x", 2), "🦀");
  EXPECT_EQ(cut_to_columns("🦀x", 1), "");
  EXPECT_EQ(cut_to_columns("e\u0301e\u0301e\u0301", 2), "e\u0301e\u0301")
      << "a combining character stays with its base";
  EXPECT_EQ(cut_to_columns("└─ ünïcode", 6), "└─ ünï");
  EXPECT_EQ(cut_to_columns("\xff\xfe\xc3", 2), "\xff\xfe");
  EXPECT_EQ(cut_to_columns("", 3), "");
}

TEST(Screen, AColourTakesNoCellsAndEndsWithItsLine) {
  std::string out;
  Screen{}.draw(out, {"h", "\x1b[36mtopic\x1b[0m x", "y"}, {.columns = 4, .rows = 3});
  EXPECT_EQ(out, "\x1b[H\x1b[7mh\x1b[K\x1b[0m\r\n\x1b[36mtopi\x1b[0m\x1b[K\r\ny\x1b[K");
  EXPECT_EQ(cut_to_columns("\x1b[36mtopic\x1b[0m x", 7), "\x1b[36mtopic\x1b[0m x");
}

TEST(OneLine, IsNotCutInsideACharacter) {
  EXPECT_EQ(one_line("水水", 6), "水水");
  for (std::size_t bytes : {3u, 4u, 5u}) EXPECT_EQ(one_line("水水", bytes), "水") << bytes;
}

TEST(OneLine, HasNothingThatATerminalObeys) { EXPECT_EQ(one_line("a\nb\x1b[2Jcut", 7), "a\\nb\\e[2J"); }

}  // namespace
}  // namespace mq
