#include "common/message_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PublishView;
using mqtt::QoS;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr WallTime when{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 7h + 20min + 7s +
                        676123us};

std::string line(const PublishView& message, JsonPayload mode = JsonPayload::text) {
  std::string out;
  MessageLineWriter{mode}.write(out, message, when);
  return out;
}

std::string line_of_reply(mqtt::Duration latency) {
  std::string out;
  MessageLineWriter{}.write(out, {.topic = "t"}, {when, latency});
  return out;
}

std::string payload_part(std::string_view payload, JsonPayload mode = JsonPayload::text) {
  const std::string whole = line({.topic = "t", .payload = mqtt::as_bytes(payload)}, mode);
  const std::size_t from = whole.find("\"len\""), to = whole.rfind('}');
  return whole.substr(from, to - from);
}

mqtt::Properties contract_properties() {
  mqtt::Properties p;
  p.add(PropertyId::content_type, "application/json");
  p.add(PropertyId::message_expiry_interval, 9);
  p.add(PropertyId::subscription_identifier, 1);
  p.add(PropertyId::correlation_data, "\xffz");
  p.add_user_property("k", "v");
  p.add(PropertyId::subscription_identifier, 4);
  p.add_user_property("k", "v2");
  return p;
}

TEST(MessageLine, IsTheLineOfTheContract) {
  const mqtt::Properties properties = contract_properties();
  const PublishView message{.qos = QoS::at_least_once,
                            .topic = "a/b",
                            .packet_id = 7,
                            .properties = properties,
                            .payload = mqtt::as_bytes(R"({"a":1})")};
  EXPECT_EQ(
      line(message),
      R"({"time":"2026-11-21T07:20:07.676123Z","ts":1795245607.676123,"topic":"a/b","qos":1,"retain":false,)"
      R"("dup":false,"id":7,"len":7,"encoding":"utf8","payload":"{\"a\":1}","properties":{)"
      R"("content_type":"application/json","message_expiry_interval":9,"correlation_data":{"base64":"/3o="},)"
      R"("subscription_identifiers":[1,4],"user_properties":[["k","v"],["k","v2"]]}})"
      "\n");
}

TEST(MessageLine, LeavesOutWhatIsAbsent) {
  EXPECT_EQ(
      line({.dup = true, .retain = true, .topic = "t", .payload = {}}),
      R"({"time":"2026-11-21T07:20:07.676123Z","ts":1795245607.676123,"topic":"t","qos":0,"retain":true,)"
      R"("dup":true,"len":0,"encoding":"none","payload":null})"
      "\n");
}

TEST(MessageLine, LeavesOutTheTopicAliasOfAConnection) {
  mqtt::Properties properties;
  properties.add(PropertyId::topic_alias, 3);
  EXPECT_EQ(line({.topic = "t", .properties = properties}).find("properties"), std::string::npos);
  properties.add(PropertyId::content_type, "x");
  EXPECT_THAT(line({.topic = "t", .properties = properties}),
              testing::HasSubstr(R"("properties":{"content_type":"x"})"));
}

TEST(MessageLine, PayloadThatIsNotTextIsBase64) {
  EXPECT_EQ(payload_part("\xff\xfe"), R"("len":2,"encoding":"base64","payload":"//4=")");
  EXPECT_EQ(payload_part(std::string_view{"a\0b", 3}), R"("len":3,"encoding":"base64","payload":"YQBi")");
  EXPECT_EQ(payload_part("a\r\n"), R"("len":3,"encoding":"utf8","payload":"a\r\n")");
}

TEST(MessageLine, ParsedPayloadIsEmbeddedAsItsOwnBytes) {
  const auto parsed = [](std::string_view payload) { return payload_part(payload, JsonPayload::parse); };
  EXPECT_EQ(parsed(R"({"a": 1.10, "b":12345678901234567890123})"),
            R"("len":40,"encoding":"json","payload":{"a": 1.10, "b":12345678901234567890123})");
  EXPECT_EQ(parsed("{\n  \"a\": \"x\\ny\"\r\n}\n"),
            "\"len\":19,\"encoding\":\"json\",\"payload\":{   \"a\": \"x\\ny\"  } ");
  EXPECT_EQ(parsed("21.5"), R"("len":4,"encoding":"json","payload":21.5)");
  EXPECT_EQ(parsed("hello"), R"("len":5,"encoding":"utf8","payload":"hello")");
  EXPECT_EQ(parsed("{\"a\":\"\xff\"}"), R"("len":9,"encoding":"base64","payload":"eyJhIjoi/yJ9")");
  EXPECT_EQ(parsed(""), R"("len":0,"encoding":"none","payload":null)");
}

TEST(MessageLine, IsOneLineOfValidJsonForAnyPayload) {
  std::string payload;
  for (int c = 0; c < 256; ++c) {
    payload.push_back(static_cast<char>(c));
    for (const std::string_view part :
         {std::string_view{payload}, std::string_view{payload}.substr(payload.size() - 1)})
      for (const JsonPayload mode : {JsonPayload::text, JsonPayload::parse}) {
        const std::string out = line({.topic = "t\n\"", .payload = mqtt::as_bytes(part)}, mode);
        ASSERT_EQ(out.find('\n'), out.size() - 1);
        ASSERT_TRUE(json::accept(out)) << out;
      }
  }
}

/// As much of JSON Schema as mq-message.schema.json uses, so that lines are held to the file itself.
class Schema {
 public:
  Schema() : root_(json::parse(std::ifstream{MQ_MESSAGE_SCHEMA})) {}

  std::string fault(const json& value) const { return fault(value, root_); }

 private:
  std::string fault(const json& value, const json& schema) const {
    for (const auto& [keyword, rule] : schema.items())
      if (std::string found = check(value, schema, keyword, rule); !found.empty()) return found;
    return {};
  }

  std::string check(const json& value, const json& schema, const std::string& keyword,
                    const json& rule) const {
    const std::string failed = keyword + " of " + rule.dump() + " for " + value.dump();
    const auto require = [&](bool holds) { return holds ? std::string{} : failed; };
    if (keyword == "$ref")
      return fault(value, root_.at(json::json_pointer{rule.get<std::string>().substr(1)}));
    if (keyword == "type") return require(has_type(value, rule));
    if (keyword == "enum") return require(std::ranges::find(rule, value) != rule.end());
    if (keyword == "const") return require(value == rule);
    if (keyword == "minimum") return require(!value.is_number() || value >= rule);
    if (keyword == "maximum") return require(!value.is_number() || value <= rule);
    if (keyword == "minLength") return require(!value.is_string() || value.get<std::string>().size() >= rule);
    if (keyword == "minItems") return require(!value.is_array() || value.size() >= rule);
    if (keyword == "maxItems") return require(!value.is_array() || value.size() <= rule);
    if (keyword == "minProperties") return require(!value.is_object() || value.size() >= rule);
    if (keyword == "pattern")
      return require(testing::Matches(testing::MatchesRegex(
          std::string{"[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+\\.[0-9]+Z"}))(value.get<std::string>()));
    if (keyword == "not") return require(!fault(value, rule).empty());
    if (keyword == "oneOf")
      return require(std::ranges::count_if(rule, [&](const json& s) { return fault(value, s).empty(); }) ==
                     1);
    if (keyword == "allOf") return all_of(value, rule);
    if (keyword == "if") {
      const char* branch = fault(value, rule).empty() ? "then" : "else";
      return schema.contains(branch) ? fault(value, schema[branch]) : std::string{};
    }
    if (keyword == "required")
      return require(std::ranges::all_of(
          rule, [&](const json& name) { return value.contains(name.get<std::string>()); }));
    if (keyword == "properties") return members(value, rule);
    if (keyword == "additionalProperties")
      return require(std::ranges::all_of(
          value.items(), [&](const auto& member) { return schema["properties"].contains(member.key()); }));
    if (keyword == "items") return value.is_array() ? items(value, rule) : std::string{};
    static const std::vector<std::string> silent{"$schema", "$id",  "title", "description",    "format",
                                                 "$defs",   "then", "else",  "contentEncoding"};
    return require(std::ranges::find(silent, keyword) != silent.end());
  }

  std::string all_of(const json& value, const json& schemas) const {
    for (const json& schema : schemas)
      if (std::string found = fault(value, schema); !found.empty()) return found;
    return {};
  }
  std::string members(const json& value, const json& schemas) const {
    for (const auto& [name, schema] : schemas.items())
      if (value.contains(name))
        if (std::string found = fault(value[name], schema); !found.empty()) return name + ": " + found;
    return {};
  }
  std::string items(const json& value, const json& schema) const {
    for (const json& item : value)
      if (std::string found = fault(item, schema); !found.empty()) return found;
    return {};
  }
  static bool has_type(const json& value, const std::string& type) {
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return type == value.type_name();
  }

  json root_;
};

TEST(MessageSchema, HoldsForWhatIsWritten) {
  const Schema schema;
  const mqtt::Properties properties = contract_properties();
  mqtt::Properties more;
  more.add(PropertyId::payload_format_indicator, 1);
  more.add(PropertyId::response_topic, "r");
  more.add(PropertyId::correlation_data, "text");
  const std::array<std::string_view, 5> payloads{"", "text", "\xff", "{\"a\":[1]}", "null"};
  for (const std::string_view payload : payloads)
    for (const QoS qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once})
      for (const mqtt::PropertiesView view : {mqtt::PropertiesView{}, properties.view(), more.view()})
        for (const JsonPayload mode : {JsonPayload::text, JsonPayload::parse}) {
          const std::string out = line({.qos = qos,
                                        .topic = "t",
                                        .packet_id = 9,
                                        .properties = view,
                                        .payload = mqtt::as_bytes(payload)},
                                       mode);
          EXPECT_EQ(schema.fault(json::parse(out)), "") << out;
        }
}

TEST(MessageLine, OfAReplyHasItsLatencyInSeconds) {
  EXPECT_EQ(json::parse(line_of_reply(1234567ns))["latency"].dump(), "0.001234");
  EXPECT_NE(line_of_reply(0ns).find(R"("latency":0.000000,"topic")"), std::string::npos);
  EXPECT_NE(line_of_reply(61s + 5us).find(R"("latency":61.000005,)"), std::string::npos);
  EXPECT_EQ(line({.topic = "t"}).find("latency"), std::string::npos);
  EXPECT_EQ(Schema{}.fault(json::parse(line_of_reply(1234567ns))), "");
}

TEST(MessageSchema, RejectsWhatIsNotALine) {
  const Schema schema;
  const json good = json::parse(
      line({.qos = QoS::at_least_once, .topic = "t", .packet_id = 1, .payload = mqtt::as_bytes("x")}));
  ASSERT_EQ(schema.fault(good), "");
  for (const char* patch :
       {R"({"qos":3})", R"({"qos":0})", R"({"topic":""})", R"({"time":"yesterday"})", R"({"id":0})",
        R"({"id":null})", R"({"more":1})", R"({"latency":-1})", R"({"latency":"1"})",
        R"({"encoding":"none"})", R"({"payload":null})", R"({"properties":{}})",
        R"({"properties":{"topic_alias":1}})", R"({"properties":{"user_properties":[["k"]]}})",
        R"({"properties":{"subscription_identifiers":[0]}})",
        R"({"properties":{"correlation_data":{"hex":"00"}}})"}) {
    json bad = good;
    bad.merge_patch(json::parse(patch));
    EXPECT_NE(schema.fault(bad), "") << patch;
  }
}

std::string plain(const PublishView& message, const PlainFormat& format) {
  std::string out;
  append_plain(out, message, format);
  return out;
}

TEST(PlainFormat, IsPayloadAndSeparator) {
  const PublishView message{.topic = "a b", .payload = mqtt::as_bytes(std::string_view{"x\0\xff\n", 4})};
  EXPECT_EQ(plain(message, {}), std::string("x\0\xff\n\n", 5));
  EXPECT_EQ(plain(message, {.separator = ""}), std::string("x\0\xff\n", 4));
  EXPECT_EQ(plain(message, {.separator = std::string(1, '\0')}), std::string("x\0\xff\n\0", 5));
  EXPECT_EQ(plain(message, {.content = PlainContent::topic_and_payload}), std::string("a b x\0\xff\n\n", 9));
}

TEST(PlainFormat, EmptyPayloadIsAnEmptyRecord) {
  EXPECT_EQ(plain({.topic = "t"}, {}), "\n");
  EXPECT_EQ(plain({.topic = "t"}, {.content = PlainContent::topic_and_payload}), "t \n");
}

TEST(PlainFormat, CannotCommandATerminal) {
  const PublishView message{.topic = "t\x1b", .payload = mqtt::as_bytes("\x1b[2J\xff")};
  EXPECT_EQ(plain(message, {.content = PlainContent::topic_and_payload, .escape = PlainEscape::for_terminal}),
            "t\\e \\e[2J\\xff\n");
}

}  // namespace
}  // namespace mq
