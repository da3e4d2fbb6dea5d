#include <mqtt/util/text.hpp>

#include <gtest/gtest.h>

#include <mqtt/util/base64.hpp>

namespace mqtt::test {
namespace {

using namespace std::chrono_literals;

TEST(Number, IsTheWholeTextOrNothing) {
  EXPECT_EQ(parse_number<std::uint16_t>("65535"), 65535);
  for (const char* bad : {"", "1x", " 1", "1 ", "-1", "+1", "0x10", "65536", "1.0", "99999999999999999999"})
    EXPECT_FALSE(parse_number<std::uint16_t>(bad)) << bad;
}

TEST(Duration, TakesUnitsAndCountsSecondsWithout) {
  EXPECT_EQ(parse_duration("2"), 2s);
  EXPECT_EQ(parse_duration("0.5"), 500ms);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("1.5m"), 90s);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("2d"), 48h);
  EXPECT_EQ(parse_duration("250us"), 250us);
  EXPECT_EQ(parse_duration("0"), 0s);
  for (const char* bad :
       {"", "s", "1x", "-1s", "1 s", "1s ", ".5", "1..2s", "1e3s", "99999999999d", "nan", "inf"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Duration, IsWrittenShortly) {
  EXPECT_EQ(format_duration(10s), "10s");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(250ms), "250ms");
  EXPECT_EQ(format_duration(0s), "0s");
  for (const Duration d : {Duration{1ns}, Duration{1500us}, Duration{90s}, Duration{36h}})
    EXPECT_EQ(parse_duration(format_duration(d)), d);
}

TEST(Size, TakesUnits) {
  EXPECT_EQ(parse_size("10"), 10u);
  EXPECT_EQ(parse_size("64K"), 65'536u);
  EXPECT_EQ(parse_size("64KiB"), 65'536u);
  EXPECT_EQ(parse_size("1.5MiB"), 1'572'864u);
  EXPECT_EQ(parse_size("100kB"), 100'000u);
  for (const char* bad : {"", "K", "1X", "-1", "1 K"}) EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(EscapeForTerminal, LetsNoControlSequenceThrough) {
  EXPECT_EQ(escape_for_terminal("a\x1b[31mb\r\n\t\x07\x7f\\"), "a\\e[31mb\\r\\n\\t\\x07\\x7f\\\\");
  EXPECT_EQ(escape_for_terminal("é水😀"), "é水😀");
  EXPECT_EQ(escape_for_terminal("\xC2\x9B"
                                "31m"),
            "\\xc2\\x9b31m")
      << "C1 controls command terminals too";
  EXPECT_EQ(escape_for_terminal("\xFF\xC0\x80"), "\\xff\\xc0\\x80");
  EXPECT_EQ(escape_for_terminal(std::string_view("\0", 1)), "\\x00");
}

TEST(Base64, TestVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), coded);
    EXPECT_EQ(from_base64(coded), plain);
  }
}

TEST(Base64, EveryByteReturns) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  EXPECT_EQ(from_base64(to_base64(as_bytes(all))), all);
}

TEST(Base64, RejectsWhatIsNotExactlyPadded) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zm9v Zg==", "Zm9vZg==\n",
                          "Zh==", "Zm9=", "Zm-_", "Zg==Zg=="})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

}  // namespace
}  // namespace mqtt::test
