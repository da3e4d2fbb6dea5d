#include "common/json_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include <mqtt/codec/property.hpp>

#include "common/message_format.hpp"

namespace mq {
namespace {

using mqtt::Properties;
using mqtt::PropertyId;
using mqtt::QoS;
using testing::HasSubstr;

std::string written(const mqtt::PublishView& message, JsonPayload mode = JsonPayload::text) {
  std::string line;
  MessageLineWriter{mode}.write(line, message, WallTime{std::chrono::microseconds{1'795'245'607'676'123}});
  line.pop_back();
  return line;
}

MessageLine read(MessageLineReader& reader, std::string_view line) {
  const auto message = reader.read(line);
  if (!message) ADD_FAILURE() << line << ": " << message.error().what << " at " << message.error().offset;
  return message && *message ? **message : MessageLine{};
}

std::string payload_of(std::string_view line) {
  MessageLineReader reader;
  return mqtt::to_string(read(reader, line).payload);
}

JsonFault fault_of(std::string_view line) {
  MessageLineReader reader;
  const auto message = reader.read(line);
  EXPECT_FALSE(message) << line;
  return message ? JsonFault{} : message.error();
}

void expect_same(const mqtt::PublishView& message, JsonPayload mode) {
  const std::string line = written(message, mode);
  MessageLineReader reader;
  const MessageLine back = read(reader, line);
  EXPECT_EQ(back.topic, message.topic) << line;
  EXPECT_EQ(back.qos, message.qos) << line;
  EXPECT_EQ(back.retain, message.retain) << line;
  EXPECT_TRUE(mqtt::equal(back.payload, message.payload)) << line;
  EXPECT_TRUE(mqtt::equal(back.properties.encoded(), message.properties.encoded())) << line;
}

TEST(MessageLineReader, GivesBackWhatTheWriterWrote) {
  Properties properties;
  properties.add(PropertyId::payload_format_indicator, 1);
  properties.add(PropertyId::message_expiry_interval, 0xFFFFFFFF);
  properties.add(PropertyId::content_type, "a\"b\\\n");
  properties.add(PropertyId::response_topic, "re/ply");
  properties.add(PropertyId::correlation_data, std::string_view{"\0\xff", 2});
  properties.add_user_property("k", "1");
  properties.add_user_property("", "");
  properties.add_user_property("k", "2");
  const std::string payloads[] = {"",
                                  "text",
                                  "\"quoted\" ",
                                  std::string("\0\xc3\xa9", 3),
                                  "\xff",
                                  "{\"a\": [1.10]}",
                                  "1e400",
                                  " 1.10 ",
                                  "\t[ ]",
                                  "\"\"",
                                  "null",
                                  "\xF0\x9F\x98\x80"};
  for (const std::string& payload : payloads)
    for (const JsonPayload mode : {JsonPayload::text, JsonPayload::parse})
      expect_same({.qos = QoS::exactly_once,
                   .retain = true,
                   .topic = "a/ \"b\"/é",
                   .packet_id = 7,
                   .properties = properties,
                   .payload = mqtt::as_bytes(payload)},
                  mode);
}

TEST(MessageLineReader, RandomMessagesSurvive) {
  std::mt19937 random{7};
  const auto bytes = [&](std::size_t most) {
    std::string text(random() % (most + 1), '\0');
    for (char& c : text) c = random() % 3 ? static_cast<char>(random()) : "\"\\{}[],: 01"[random() % 11];
    return text;
  };
  const auto text = [&](std::size_t most) {
    constexpr std::string_view letters[] = {"a", "\"", "\\", "\n", "\x7f", "é", "\u2028", "😀", "/", "\x01"};
    std::string made;
    for (std::size_t n = random() % (most + 1); n > 0; --n) made += letters[random() % std::size(letters)];
    return made;
  };
  for (int n = 0; n < 3000; ++n) {
    Properties properties;
    if (random() % 2)
      properties.add(PropertyId::message_expiry_interval, static_cast<std::uint32_t>(random()));
    if (random() % 2) properties.add(PropertyId::content_type, text(5));
    if (random() % 2) properties.add(PropertyId::correlation_data, bytes(9));
    for (auto pairs = random() % 3; pairs > 0; --pairs) properties.add_user_property(text(3), text(3));
    const std::string topic = "t" + text(9), payload = random() % 2 ? bytes(40) : text(20);
    expect_same({.qos = static_cast<QoS>(random() % 3),
                 .retain = random() % 2 == 0,
                 .topic = topic,
                 .packet_id = 1,
                 .properties = properties,
                 .payload = mqtt::as_bytes(payload)},
                random() % 2 ? JsonPayload::text : JsonPayload::parse);
  }
}

TEST(MessageLineReader, EmbeddedJsonIsTheLinesOwnBytes) {
  const std::string line =
      R"({"topic":"t","encoding":"json","payload": {"a": 1.10, "b":[1e400, "é\u00e9"]} ,"x":1})";
  EXPECT_EQ(payload_of(line), R"({"a": 1.10, "b":[1e400, "é\u00e9"]})");
  EXPECT_EQ(payload_of(R"({"topic":"t","payload":1.10})"), "1.10");
  EXPECT_EQ(payload_of(R"({"topic":"t","encoding":"json","payload":"text"})"), R"("text")");
  // Blanks belong to the payload only if the writer has counted them.
  EXPECT_EQ(payload_of(R"({"topic":"t","len":6,"encoding":"json","payload": 1.10 })"), " 1.10 ");
  EXPECT_EQ(payload_of(R"({"topic":"t","len":4,"encoding":"json","payload": 1.10 })"), "1.10");
}

TEST(MessageLineReader, LinesMadeByHandMayLeaveOutWhatHasADefault) {
  MessageLineReader reader;
  const MessageLine message = read(reader, R"( { "payload" : "x\u00e9\ud83d\ude00\u0000\/" } )");
  EXPECT_FALSE(message.topic || message.qos || message.retain || message.recorded_at_ns);
  EXPECT_TRUE(message.properties.empty());
  EXPECT_EQ(mqtt::as_text(message.payload), (std::string_view{"x\xc3\xa9\xF0\x9F\x98\x80\0/", 9}));
  EXPECT_EQ(payload_of(R"({"topic":"t","payload":null})"), "");
}

TEST(MessageLineReader, IgnoresWhatOnlyMeansSomethingAtTheReceiver) {
  MessageLineReader reader;
  const MessageLine message =
      read(reader, R"({"time":"x","id":9,"dup":true,"len":3,"site":{"a":[1]},"topic":"t","payload":"abc",)"
                   R"("properties":{"subscription_identifiers":[1,4]}})");
  EXPECT_EQ(mqtt::as_text(message.payload), "abc");
  EXPECT_TRUE(message.properties.empty());
}

TEST(MessageLineReader, SkipsLifeCycleEvents) {
  MessageLineReader reader;
  const auto event = reader.read(R"({"time":"2026-11-21T07:20:07.676123Z","event":"connected","payload":1})");
  ASSERT_TRUE(event);
  EXPECT_FALSE(*event);
}

TEST(MessageLineReader, TimesAreExactToTheNanosecond) {
  const auto at = [](std::string_view ts) {
    MessageLineReader reader;
    return read(reader, std::string{R"({"topic":"t","payload":null,"ts":)"}.append(ts) + "}").recorded_at_ns;
  };
  EXPECT_EQ(at("1795245607.676123"), 1'795'245'607'676'123'000);
  EXPECT_EQ(at("0"), 0);
  EXPECT_EQ(at("1.5e3"), 1'500'000'000'000);
  EXPECT_EQ(at("0.0000000019"), 1);
}

TEST(MessageLineReader, SaysWhatIsWrongAndWhere) {
  struct Case {
    std::string_view line, what;
    std::size_t offset;
  };
  const Case cases[] = {
      {"", "cut off", 0},
      {"[]", "should be a '{'", 0},
      {R"({"topic":"t","payload":"x"} y)", "follows the object", 28},
      {R"({"topic":"t","payload":"x")", "cut off", 26},
      {R"({"topic":"t","payload":"x)", "no end", 23},
      {R"({"topic":"t"})", "no payload", 13},
      {R"({"topic":"t","payload":})", "no JSON value", 23},
      {R"({"topic":"t","payload":[1,})", "no JSON value", 23},
      {R"({"topic":"t","payload":[1}])", "no JSON value", 23},
      {R"({"topic":"t","payload":01})", "no JSON value", 23},
      {R"({"topic":1,"payload":"x"})", "should be a string", 9},
      {R"({"topic":"t","topic":"u","payload":"x"})", "topic stands there twice", 13},
      {R"({"qos":3,"topic":"t","payload":"x"})", "qos is not", 7},
      {R"({"qos":"1","topic":"t","payload":"x"})", "qos is not", 7},
      {R"({"retain":1,"topic":"t","payload":"x"})", "retain is not", 10},
      {R"({"ts":"x","topic":"t","payload":"x"})", "ts is not", 6},
      {R"({"topic":"t","encoding":"cbor","payload":{}})", "'cbor' cannot be turned back", 24},
      {R"({"topic":"t","encoding":"utf8","payload":1})", "not a string", 41},
      {R"({"topic":"t","encoding":"base64","payload":"YQ"})", "not base64", 43},
      {R"({"topic":"t","encoding":"none","payload":""})", "not null", 41},
      {R"({"topic":"t","payload":"\ud800"})", "no JSON value", 23},
      {R"({"topic":"\ud800","payload":"x"})", "no character", 10},
      {R"({"topic":"\x","payload":"x"})", "escapes nothing", 10},
      {R"({"topic":"t","payload":"x","properties":{"no_such":1}})", "'no_such' is not a property", 41},
      {R"({"topic":"t","payload":"x","properties":{"session_expiry_interval":1}})", "is not a property", 41},
      {R"({"topic":"t","payload":"x","properties":{"topic_alias":1}})", "is not a property", 41},
      {R"({"topic":"t","payload":"x","properties":{"payload_format_indicator":2}})", "from 0 to 1", 68},
      {R"({"topic":"t","payload":"x","properties":{"content_type":"a","content_type":"b"}})", "twice", 60},
      {R"({"topic":"t","payload":"x","properties":{"content_type":"\u0000"}})", "", 40},
      {R"({"topic":"t","payload":"x","properties":{"response_topic":"a/#"}})", "", 40},
      {R"({"topic":"t","payload":"x","properties":{"user_properties":[["a"]]}})", "should be a ','", 64},
      {R"({"topic":"t","payload":"x","properties":{"correlation_data":{"base64":"!"}}})", "not base64", 60},
      {"{\"topic\":\"\xff\",\"payload\":\"x\"}", "not UTF-8", 10},
      {"{\"topic\":\"a\tb\",\"payload\":\"x\"}", "control character", 10},
  };
  for (const auto& [line, what, offset] : cases) {
    const JsonFault fault = fault_of(line);
    EXPECT_THAT(fault.what, HasSubstr(what)) << line;
    EXPECT_EQ(fault.offset, offset) << line << ": " << fault.what;
    EXPECT_FALSE(fault.what.empty()) << line;
  }
}

TEST(MessageLineReader, ALineCutAnywhereIsAFault) {
  Properties properties;
  properties.add(PropertyId::correlation_data, std::string_view{"\xff"});
  properties.add_user_property("k", "v");
  const std::string line =
      written({.topic = "t", .properties = properties, .payload = mqtt::as_bytes("{\"a\":[1,2]}")},
              JsonPayload::parse);
  MessageLineReader reader;
  for (std::size_t size = 0; size < line.size(); ++size)
    EXPECT_FALSE(reader.read(line.substr(0, size))) << size;
}

}  // namespace
}  // namespace mq
