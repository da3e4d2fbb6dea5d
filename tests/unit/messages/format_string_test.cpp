#include "messages/format_string.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <ctime>

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PublishView;
using mqtt::QoS;
using namespace std::chrono_literals;
using namespace std::string_literals;
using ::testing::HasSubstr;

constexpr WallTime when{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 7h + 20min + 7s +
                        676123456ns};

mqtt::Properties all_properties() {
  mqtt::Properties p;
  p.add(PropertyId::content_type, "text/x");
  p.add(PropertyId::correlation_data, "c\0d"s);
  p.add(PropertyId::message_expiry_interval, 9);
  p.add(PropertyId::payload_format_indicator, 1);
  p.add(PropertyId::response_topic, "answer/here");
  p.add(PropertyId::subscription_identifier, 4);
  p.add(PropertyId::subscription_identifier, 7);
  p.add(PropertyId::topic_alias, 3);
  p.add_user_property("k", "v");
  p.add_user_property("k 2", "it's");
  return p;
}

class FormatStringTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ::setenv("TZ", "UTC-1", 1);  // one hour east
    ::tzset();
  }

  std::string render(std::string_view format, std::string_view payload = "hello",
                     PlainEscape escape = PlainEscape::exact) {
    return render(format,
                  {.qos = QoS::at_least_once,
                   .topic = "a/b",
                   .packet_id = 12,
                   .properties = properties_,
                   .payload = mqtt::as_bytes(payload)},
                  escape);
  }
  std::string render(std::string_view format, const PublishView& message,
                     PlainEscape escape = PlainEscape::exact) {
    auto compiled = FormatString::compile(format);
    EXPECT_TRUE(compiled) << format << ": " << compiled.error();
    std::string out = "before ";
    if (compiled) compiled->append(out, message, when, escape);
    EXPECT_TRUE(out.starts_with("before "));
    return out.substr(7);
  }

  mqtt::Properties properties_ = all_properties();
};

TEST_F(FormatStringTest, EverySpecifierOfMosquittoSub) {
  EXPECT_EQ(render("%%|%A|%C|%E|%F|%l|%m|%p|%q|%R|%r|%S|%t"),
            "%|3|text/x|9|1|5|12|hello|1|answer/here|0|4|a/b");
  EXPECT_EQ(render("%D"), "c\0d"s);
  EXPECT_EQ(render("%P"), "k:v k 2:it's");
  EXPECT_EQ(render("%x %X", "j\xff\n"), "6aff0a 6AFF0A");
  EXPECT_EQ(render("%I|%U"), "2026-11-21T08:20:07+0100|1795245607.676123456");
}

TEST_F(FormatStringTest, DatesAndEscapes) {
  EXPECT_EQ(render("@Y-@m-@dT@H:@M:@S@z.@N @@ @s"), "2026-11-21T08:20:07+0100.676123456 @ 1795245607");
  EXPECT_EQ(render(R"(\\\0\a\e\n\r\t\v)"), "\\\0\a\x1b\n\r\t\v"s);
}

TEST_F(FormatStringTest, WidthsFlagsAndPrecision) {
  EXPECT_EQ(render("[%5l|%05l|%-5l|%-05l|%5t|%-5t|%05t|%.2t|%5.2t|%-5.2t|%.0t]"),
            "[    5|00005|5    |5    |  a/b|a/b  |  a/b|a/|   a/|a/   |]");
  EXPECT_EQ(render("[%8p|%-8p|%3p|%.3p]"), "[   hello|hello   |hello|hel]");
  EXPECT_EQ(render("[%12x|%012X|%-12x]", "jk"), "[        6a6b|000000006A6B|6a6b        ]");
  EXPECT_EQ(render("[%.2x|%.2:x|%.4-X|%.3:x]", "jkl"), "[6a 6b 6c|6a:6b:6c|6A6B-6C|6a6:b6c]");
}

TEST_F(FormatStringTest, WidthsCountCharactersAndCutsDoNotSplitThem) {
  const PublishView message{.topic = "üöä", .payload = mqtt::as_bytes("\xff\xfe\xfd")};
  EXPECT_EQ(render("[%5t|%.2t|%5p|%.2p]", message), "[  üöä|üö|  \xff\xfe\xfd|\xff\xfe]");
}

TEST_F(FormatStringTest, WhatIsNotThereIsBlank) {
  const PublishView message{.topic = "t"};
  EXPECT_EQ(render("[%A|%3A|%03A|%C|%3C|%D|%E|%F|%P|%3R|%S|%p|%x|%m]", message),
            "[|   |000||   |||||   ||||0]");
}

TEST_F(FormatStringTest, FloatsOfThisMachine) {
  const float single = -2.5F;
  const double twice = 1234.0625;
  const std::string four{reinterpret_cast<const char*>(&single), 4},
      eight{reinterpret_cast<const char*>(&twice), 8};
  EXPECT_EQ(render("[%f|%.1f|%8.2f|%08.2f|%-8.1f|%d]", four), "[-2.500000|-2.5|   -2.50|-0002.50|-2.5    |]");
  EXPECT_EQ(render("[%d|%.2d|%f]", eight), "[1234.062500|1234.06|]");
}

TEST_F(FormatStringTest, MosquittosJson) {
  EXPECT_EQ(
      render("%j", {.topic = "t", .payload = mqtt::as_bytes("{\"a\":1.10}")}),
      R"({"tst":"2026-11-21T08:20:07.676123+0100","topic":"t","qos":0,"retain":0,"payloadlen":10,"payload":"{\"a\":1.10}"})");
  EXPECT_EQ(
      render("%J", {.retain = true, .topic = "t", .payload = mqtt::as_bytes("{\"a\":1.10}")}),
      R"({"tst":"2026-11-21T08:20:07.676123+0100","topic":"t","qos":0,"retain":1,"payloadlen":10,"payload":{"a":1.10}})");
  properties_ = {};
  properties_.add(PropertyId::content_type, "text/x");
  properties_.add_user_property("k\"", "v");
  properties_.add_user_property("k2", "v2");
  EXPECT_EQ(
      render("%j", "x"),
      R"({"tst":"2026-11-21T08:20:07.676123+0100","topic":"a/b","qos":1,"retain":0,"payloadlen":1,"mid":12,)"
      R"("properties":{"content-type":"text/x","user-properties":{"k\"":"v","k2":"v2"}},"payload":"x"})");
}

TEST_F(FormatStringTest, Trap19_MosquittosJsonIsValidForAnyPayload) {
  EXPECT_THAT(render("%j", {.topic = "t", .payload = mqtt::as_bytes("\xff")}),
              HasSubstr(R"("payload":{"base64":"/w=="}})"));
  EXPECT_THAT(render("%J", {.topic = "t", .payload = mqtt::as_bytes("no json")}),
              HasSubstr(R"("payload":"no json"})"));
  EXPECT_THAT(render("%j", {.topic = "t"}), HasSubstr(R"("payload":null})"));
}

TEST_F(FormatStringTest, Pretty) {
  auto format = FormatString::compile("%J;");
  format->set_pretty();
  std::string out;
  format->append(out, {.topic = "t", .payload = mqtt::as_bytes(R"([1 ,{ "a":"b,]" , "c":[]}, {} ])")}, when);
  EXPECT_EQ(
      out,
      "{\n  \"tst\": \"2026-11-21T08:20:07.676123+0100\",\n  \"topic\": \"t\",\n  \"qos\": 0,\n"
      "  \"retain\": 0,\n  \"payloadlen\": 31,\n  \"payload\": [\n    1,\n    {\n      \"a\": \"b,]\",\n"
      "      \"c\": []\n    },\n    {}\n  ]\n};");
}

TEST_F(FormatStringTest, LongNames) {
  EXPECT_EQ(render("%{topic}|%{payload}|%{len}|%{qos}|%{retain}|%{dup}|%{id}"), "a/b|hello|5|1|0|0|12");
  EXPECT_EQ(
      render("%{content_type}|%{message_expiry_interval}|%{payload_format_indicator}|%{response_topic}"),
      "text/x|9|1|answer/here");
  EXPECT_EQ(render("%{subscription_identifiers}|%{user_properties}|%{user.k 2}|%{user.x}|"),
            "4,7|k:v k 2:it's|it's||");
  EXPECT_EQ(render("%{time}|%{ts}"), "2026-11-21T07:20:07.676123Z|1795245607.676123456");
  const std::string line = render("%{json}");
  EXPECT_TRUE(line.starts_with(R"({"time":"2026)") && line.ends_with('}')) << line;
}

TEST_F(FormatStringTest, FiltersOfLongNames) {
  EXPECT_EQ(render("%{payload:json}", "a\"\n"), R"("a\"\n")");
  EXPECT_EQ(render("%{payload:json}", "\xff"), R"({"base64":"/w=="})");
  EXPECT_EQ(render("%{payload:sh}", "it's $HOME\n"), "'it'\\''s $HOME\n'");
  EXPECT_EQ(render("%{payload:hex}|%{payload:base64}|%{payload:url}", "a b\xff/~"),
            "612062ff2f7e|YSBi/y9+|a%20b%FF%2F~");
  EXPECT_EQ(render("%{payload:csv}|%{topic:csv}", "a,\"b\""), "\"a,\"\"b\"\"\"|a/b");
  EXPECT_EQ(render("%{qos:json}|%{time:json}|%{user.x:json}|%{user.x:sh}|%{user.x:csv}"),
            "1|\"2026-11-21T07:20:07.676123Z\"|null|''|");
  EXPECT_EQ(render("%{user_properties:json}|%{subscription_identifiers:json}"),
            R"([["k","v"],["k 2","it's"]]|[4,7])");
  EXPECT_EQ(render("[%{topic:6}|%{topic:-6}|%{topic:json:7}|%{topic::.1}|%{len:03}|%{topic:json:-7.2}]"),
            "[   a/b|a/b   |  \"a/b\"|a|005|\"a/\"   ]");
}

TEST_F(FormatStringTest, OnATerminalValuesAreEscapedAndTheFormatIsNot) {
  EXPECT_EQ(render("\\e[1m%p %{payload:sh} %{payload:json}", "\x1b[2J", PlainEscape::for_terminal),
            "\x1b[1m\\e[2J '\\e[2J' \"\\u001b[2J\"");
}

TEST_F(FormatStringTest, SaysWhatIsWrong) {
  const auto fault = [](std::string_view format) {
    const auto compiled = FormatString::compile(format);
    return compiled ? "" : compiled.error();
  };
  for (const auto& [format, word] : {std::pair{"%", "%%"},
                                     {"%5", "%%"},
                                     {"%k", "'%k'"},
                                     {"%5.2", "%%"},
                                     {"@", "@@"},
                                     {"@Q", "'@Q'"},
                                     {"@-", "'@-'"},
                                     {"\\", "behind"},
                                     {"\\q", "'\\q'"},
                                     {"%{topic", "'}'"},
                                     {"%{}", "'%{}'"},
                                     {"%{colour}", "colour"},
                                     {"%{topic:rot13}", "rot13"},
                                     {"%{topic:json:x}", "'x'"},
                                     {"%99999999999t", "65535"},
                                     {"%65536t", "65535"},
                                     {"%:t", "'%:'"}})
    EXPECT_THAT(fault(format), HasSubstr(word)) << format;
}

TEST_F(FormatStringTest, AnEmptyFormatIsAnEmptyRecord) { EXPECT_EQ(render(""), ""); }

}  // namespace
}  // namespace mq
