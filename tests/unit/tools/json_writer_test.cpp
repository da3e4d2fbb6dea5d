#include "common/json_writer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace mq {
namespace {

std::string written(const std::function<void(JsonWriter&)>& write) {
  std::string out;
  JsonWriter json{out};
  write(json);
  return out;
}

TEST(JsonWriter, CommasComeByThemselves) {
  const std::string out = written([](JsonWriter& json) {
    json.begin_object();
    json.field("a", 1);
    json.key("b");
    json.begin_array();
    json.number(-2);
    json.begin_object();
    json.end_object();
    json.begin_array();
    json.end_array();
    json.null();
    json.end_array();
    json.field("c", true);
    json.field("d", "x");
    json.field("e", 1.5);
    json.key("f");
    json.raw("[1]");
    json.end_object();
  });
  EXPECT_EQ(out, R"({"a":1,"b":[-2,{},[],null],"c":true,"d":"x","e":1.5,"f":[1]})");
}

TEST(JsonWriter, AppendsToWhatIsThere) {
  std::string out = "before ";
  JsonWriter{out}.boolean(false);
  EXPECT_EQ(out, "before false");
}

TEST(JsonWriter, NumbersAreExact) {
  const auto number = [](auto value) { return written([value](JsonWriter& json) { json.number(value); }); };
  EXPECT_EQ(number(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(number(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(number(std::uint8_t{65}), "65");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(JsonWriter, EscapesEveryControlCharacterAndNothingElse) {
  for (unsigned c = 0; c < 0x80; ++c)
    for (const std::size_t before : {0u, 3u, 7u, 8u, 9u}) {  // in and out of the eight-byte steps
      const std::string text = std::string(before, 'a') + static_cast<char>(c) + "bcdefghij";
      const std::string out = written([&](JsonWriter& json) { json.string(text); });
      ASSERT_EQ(nlohmann::json::parse(out).get<std::string>(), text) << c;
      const bool escaped = c < 0x20 || c == '"' || c == '\\' || c == 0x7F;
      ASSERT_EQ(out.find('\\') != std::string::npos, escaped) << c;
    }
  EXPECT_EQ(written([](JsonWriter& json) { json.string("/\x1b\x7f\n\b"); }), "\"/\\u001b\\u007f\\n\\b\"");
}

TEST(JsonWriter, EscapesTheControlCharactersOfTwoBytesWhereverTheyStand) {
  EXPECT_EQ(written([](JsonWriter& json) { json.string("\u0080\u009f\u00a0\u00b0"); }),
            "\"\\u0080\\u009f\u00a0\u00b0\"");
  for (std::size_t before : {6u, 7u, 8u, 16'383u, 16'384u, 32'767u}) {
    const std::string text(before, 'x');
    EXPECT_EQ(written([&](JsonWriter& json) { json.string(text + "\u009b[2J"); }),
              '"' + text + "\\u009b[2J\"")
        << before;
  }
}

TEST(JsonWriter, LeavesUtf8AsItIs) {
  const std::string text = "Füße 水 🦀 e\xcc\x81 Füße 水 🦀";
  EXPECT_EQ(written([&](JsonWriter& json) { json.string(text); }), '"' + text + '"');
}

TEST(JsonWriter, LongTextIsEscapedAcrossItsSlices) {
  std::string text;
  for (std::size_t i = 0; i < 100'000; ++i) text += i % 7 == 0 ? '\n' : 'x';
  const std::string out = written([&](JsonWriter& json) { json.string(text); });
  EXPECT_EQ(nlohmann::json::parse(out).get<std::string>(), text);
}

TEST(JsonWriter, BinaryIsTextIfItCanBe) {
  const auto binary = [](std::string_view bytes) {
    return written([&](JsonWriter& json) { json.text_or_base64(mqtt::as_bytes(bytes)); });
  };
  EXPECT_EQ(binary("cd"), "\"cd\"");
  EXPECT_EQ(binary(""), "\"\"");
  EXPECT_EQ(binary("\xff"), R"({"base64":"/w=="})");
  EXPECT_EQ(binary(std::string_view{"\0", 1}), R"({"base64":"AA=="})");
}

}  // namespace
}  // namespace mq
