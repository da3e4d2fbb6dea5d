#include "common/template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace mq {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

std::string made(std::string_view text, const TemplateValues& values = {.sequence = 7, .line = "L"}) {
  static std::mt19937_64 random{1};
  static WallClockText clock;
  const auto parsed = Template::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error();
  std::string out;
  if (parsed) parsed->append(out, values, random, clock);
  return out;
}

std::string template_fault(std::string_view text) {
  const auto parsed = Template::parse(text);
  EXPECT_FALSE(parsed) << text;
  return parsed ? "" : parsed.error();
}

TEST(Template, FieldsAndText) {
  EXPECT_EQ(made(""), "");
  EXPECT_EQ(made("plain"), "plain");
  EXPECT_EQ(made("{seq}/{line}-{seq:100}{seq:0}"), "7/L-1066");
  const TemplateValues then{.now = WallTime{std::chrono::nanoseconds{1'795'245'607'676'123'456}}};
  EXPECT_EQ(made("{time} {time:s} {time:ms} {time:us} {time:ns}", then),
            "2026-11-21T07:20:07.676123Z 1795245607 1795245607676 1795245607676123 1795245607676123456");
}

TEST(Template, OtherBracesStandForThemselves) {
  EXPECT_EQ(made(R"({"n":{seq},"o":{}})"), R"({"n":7,"o":{}})");
  EXPECT_EQ(made("{{seq} {{ } }} {"), "{seq} { } }} {");
  EXPECT_EQ(made("{A} {se q} {seq"), "{A} {se q} {seq");
}

TEST(Template, BytesAreKept) {
  const std::string line{"\0\xff{seq}", 7};
  EXPECT_EQ(made("{line}", {.sequence = 1, .line = line}), line);
}

TEST(Template, RandomNumbersCoverTheirRangeAndNothingElse) {
  std::set<std::string> seen;
  for (int n = 0; n < 1000; ++n) seen.insert(made("{random:-2..3}"));
  EXPECT_THAT(seen, testing::ElementsAre("-1", "-2", "0", "1", "2", "3"));
  seen.clear();
  for (int n = 0; n < 1000; ++n) seen.insert(made("{random:-0.1..0.10}"));
  EXPECT_EQ(seen.size(), 21u);
  EXPECT_TRUE(seen.contains("-0.10") && seen.contains("0.00") && seen.contains("0.10") &&
              seen.contains("-0.05"));
  EXPECT_EQ(made("{random:5..5}"), "5");
}

TEST(Template, UuidsAreOfVersion4AndDiffer) {
  const auto form =
      testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int n = 0; n < 100; ++n) {
    const std::string uuid = made("{uuid}");
    EXPECT_THAT(uuid, form);
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST(Template, SaysWhatIsWrong) {
  EXPECT_THAT(template_fault("{nosuch}"), HasSubstr("{nosuch}"));
  EXPECT_THAT(template_fault("{seq:x}"), HasSubstr("{seq} cannot take 'x'"));
  EXPECT_THAT(template_fault("{time:h}"), HasSubstr("{time} cannot take 'h'"));
  EXPECT_THAT(template_fault("{uuid:4}"), HasSubstr("{uuid} cannot take '4'"));
  EXPECT_THAT(template_fault("{random}"), HasSubstr("needs its ends"));
  for (const std::string range :
       {"2..1", "a..b", "1..", "..2", "1...2", "1.2.3..4", "0.0000000001..1", "1.."})
    EXPECT_THAT(template_fault("{random:" + range + "}"), HasSubstr("not a range")) << range;
}

}  // namespace
}  // namespace mq
