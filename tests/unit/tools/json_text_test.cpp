#include "common/json_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace mq {
namespace {

TEST(IsJsonText, AcceptsEveryKindOfValue) {
  for (const std::string_view text : {"null",
                                      "true",
                                      "false",
                                      "0",
                                      "-0",
                                      "1.10",
                                      "-12.5e+10",
                                      "1E5",
                                      "1e-400",
                                      "\"\"",
                                      "\"a\\n\\u00e9\\/\"",
                                      "\"\\ud83e\\udd80\"",
                                      "[]",
                                      "{}",
                                      "[1,[2,{\"a\":[]}],\"x\"]",
                                      "{\"a\":1,\"a\":2}",
                                      " \r\n\t{ \"a\" : [ 1 , 2 ] } \n",
                                      "123456789012345678901234567890",
                                      "\"\x7f\"",
                                      "\"Füße\""})
    EXPECT_TRUE(is_json_text(text)) << text;
}

TEST(IsJsonText, RejectsWhatTheGrammarDoesNotHave) {
  for (const std::string_view text : {"",
                                      " ",
                                      "nul",
                                      "nulll",
                                      "True",
                                      "01",
                                      "-",
                                      "+1",
                                      ".5",
                                      "1.",
                                      "1e",
                                      "1e+",
                                      "0x1",
                                      "NaN",
                                      "Infinity",
                                      "'a'",
                                      "\"",
                                      "\"a",
                                      "\"\n\"",
                                      "\"\t\"",
                                      "\"\\x41\"",
                                      "\"\\u12g4\"",
                                      "\"\\u123\"",
                                      "\"\\",
                                      "[",
                                      "[1",
                                      "[1,",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "]",
                                      "{",
                                      "{\"a\"",
                                      "{\"a\":",
                                      "{\"a\":1",
                                      "{\"a\":1,",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{1:1}",
                                      "{\"a\" 1}",
                                      "{\"a\":1]",
                                      "[1}",
                                      "1 2",
                                      "{} {}",
                                      "//x\n1",
                                      "1 //x",
                                      "\xef\xbb\xbf{}",
                                      "\"a\" \"b\"",
                                      "tru"})
    EXPECT_FALSE(is_json_text(text)) << text;
}

TEST(IsJsonText, RejectsNulAnywhere) {
  for (const std::string_view text :
       {std::string_view{"1\0", 2}, std::string_view{"\0", 1}, std::string_view{"[\0]", 3},
        std::string_view{"\"\0\"", 3}, std::string_view{"{\0}", 3}})
    EXPECT_FALSE(is_json_text(text));
}

TEST(IsJsonText, RejectsUnpairedSurrogates) {
  for (const std::string_view text : {"\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"",
                                      "\"\\udc00\"", "\"\\udc00\\ud800\"", "\"\\ud800\\ud800\""})
    EXPECT_FALSE(is_json_text(text)) << text;
}

TEST(IsJsonText, DepthIsLimited) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(is_json_text(nested(json_depth_max)));
  EXPECT_FALSE(is_json_text(nested(json_depth_max + 1)));
  EXPECT_FALSE(is_json_text(std::string(1'000'000, '[')));
}

TEST(IsJsonText, TruncatedAnywhereIsRejected) {
  const std::string_view whole = R"({"a":[1.5e3,true,null,"x\u00e9"],"b":{}})";
  ASSERT_TRUE(is_json_text(whole));
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(is_json_text(whole.substr(0, n))) << n;
}

TEST(IsJsonText, AgreesWithAnotherParserOnRandomTexts) {
  constexpr std::string_view letters = "{}[]:,\"\\u0aeE.+-1 tfn\n";
  constexpr std::string_view whole = R"({"a":[1.5e3,true,null,"x\u00e9"],"b":{}})";
  std::mt19937 random{7};
  for (int i = 0; i < 20'000; ++i) {
    std::string text{whole};
    for (auto changes = random() % 3; changes > 0; --changes)
      text[random() % text.size()] = letters[random() % letters.size()];
    if (random() % 2 == 0) text.erase(random() % text.size(), 1);
    ASSERT_EQ(is_json_text(text), nlohmann::json::accept(text)) << text;
  }
}

}  // namespace
}  // namespace mq
