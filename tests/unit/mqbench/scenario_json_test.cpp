#include "mqbench/scenario_json.hpp"

#include <gtest/gtest.h>

namespace {

using mq::bench::parse_scenario;
using mq::bench::scenario_file;

std::string fault_of(std::string_view text) {
  const auto scenario = parse_scenario(text, "f.json");
  return scenario ? "" : scenario.error();
}

std::string compact(const mq::bench::Scenario& scenario) {
  std::string text;
  mq::JsonWriter json{text};
  write_scenario(json, scenario);
  return text;
}

TEST(ScenarioFile, EveryPresetComesBack) {
  for (const auto& preset : mq::bench::presets()) {
    const std::string text = scenario_file(preset.scenario);
    const auto read = parse_scenario(text, "f.json");
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(scenario_file(*read), text);
    EXPECT_EQ(scenario_file(*parse_scenario(compact(*read), "f.json")), text);
  }
}

TEST(ScenarioFile, EveryKeyComesBack) {
  const std::string_view text =
      R"({"name":"n","scale":0.5,"publishers":2,"subscribers":3,"wiring":"all","operation":"publish","slow":1,"topics":"{run}/{t:9}",)"
      R"("publish_qos":1,"subscribe_qos":2,"topic_alias":true,"size":"64..100","loop":"open","rate":0.125,"arrival":"fixed","burst":4,)"
      R"("window":7,"ramp":2.5,"warmup_s":0.25,"duration_s":1.5,"drain_s":3,"seed":9,"sources":["127.0.0.1","::1"]})";
  const auto read = parse_scenario(text, "f.json");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(compact(*read), text);
  const std::string_view connected =
      R"({"name":"n","publishers":1,"subscribers":1,"wiring":"pairs","operation":"publish","topics":"x{run}","publish_qos":0,)"
      R"("subscribe_qos":0,"size":100,"loop":"open","rate":1,"arrival":"fixed","burst":1,"ramp":2,"count":5,"drain_s":3,"seed":9,)"
      R"("brokers":["mqtt://[::1]:1883","unix:///tmp/a"],"publish_to":["wss://h:443/mqtt"],"subscribe_from":["mqtts://h:8883"],)"
      R"("properties":[["connect","user_property","k","v"],["connect","user_property","k","w \"\""],)"
      R"(["publish","payload_format_indicator","1"],["publish","content_type","a/b"],)"
      R"(["publish","correlation_data","base64:QGE="],["subscribe","subscription_identifier","7"]]})";
  const auto again = parse_scenario(connected, "f.json");
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(compact(*again), connected);
  const std::string_view closed =
      R"({"name":"n","publishers":2,"subscribers":3,"wiring":"pairs","operation":"publish","topics":"x","publish_qos":0,)"
      R"("subscribe_qos":0,"payload":"{seq}","loop":"closed","ramp":2,"count":5,"drain_s":3,"seed":9})";
  EXPECT_EQ(compact(*parse_scenario(closed, "f.json")), closed);
}

TEST(ScenarioFile, ChangesAPreset) {
  const auto read = parse_scenario(R"({"publishers": 3, "preset": "fan-out", "count": 5})", "f.json");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->subscribers, 1'000U);
  EXPECT_EQ(read->publishers, 3U);
  EXPECT_EQ(read->count, 5U);
}

TEST(ScenarioFile, FaultsNameLineAndKey) {
  EXPECT_EQ(fault_of("{\n \"publishers\": \"x\"\n}"),
            "f.json:2: publishers: '\"x\"' is not a number from 1 to 10000000");
  EXPECT_EQ(fault_of("{\n\n\"publisher\": 1}"),
            "f.json:3: there is no key 'publisher'; did you mean publishers?");
  EXPECT_EQ(fault_of("{\"xyzzy\": 1}"), "f.json:1: there is no key 'xyzzy'");
  EXPECT_EQ(fault_of("{\"seed\": 1,\n\"seed\": 1}"), "f.json:2: seed: it is there twice");
  EXPECT_EQ(fault_of("{\"preset\": \"nope\"}"), "f.json:1: preset: there is no preset '\"nope\"'");
  EXPECT_EQ(fault_of("{\"wiring\": \"mesh\"}"),
            "f.json:1: wiring: '\"mesh\"' is none of \"pairs\", \"all\", \"shared\"");
  EXPECT_EQ(fault_of("{\"rate\": 5,\n\"loop\": \"closed\"}"), "f.json:2: loop: a closed loop has no rate");
  EXPECT_EQ(fault_of("{\"loop\": \"closed\",\n\"rate\": 5}"), "f.json:1: loop: a closed loop has no rate");
  EXPECT_EQ(fault_of("{\"count\": 5,\n\"duration_s\": 5}"),
            "f.json:2: duration_s: it does not go with count");
}

TEST(ScenarioFile, SecretsAreNotWritten) {
  auto read =
      parse_scenario(R"({"brokers":["mqtt://user:hidden@h","wss://h/mqtt?X-Signature=hidden"]})", "f.json");
  ASSERT_TRUE(read) << read.error();
  auto& connect = read->properties.at(mqtt::PropertyPlace::connect);
  connect.add(mqtt::PropertyId::authentication_method, "token");
  connect.add(mqtt::PropertyId::authentication_data, "hidden");
  const std::string text = compact(*read);
  EXPECT_EQ(text.find("hidden"), text.npos) << text;
  EXPECT_TRUE(text.ends_with(R"("brokers":["mqtt://h:1883","wss://h:443/mqtt"]})")) << text;
}

TEST(ScenarioFile, TheHashIsOfWhatIsDoneNotOfWhere) {
  const auto hash = [](std::string_view text) { return hash_of(*parse_scenario(text, "f.json")); };
  EXPECT_EQ(hash(R"({"brokers":["mqtt://a"],"publish_to":["mqtt://b"],"subscribe_from":["mqtt://c"]})"),
            hash("{}"));
  EXPECT_NE(hash(R"({"properties":[["publish","content_type","a"]]})"), hash("{}"));
}

TEST(ScenarioFile, WrongValuesAreRefused) {
  for (const char* member : {R"("publishers":0)",
                             R"("publishers":1.5)",
                             R"("brokers":"mqtt://h")",
                             R"("brokers":["h"])",
                             R"("brokers":["mqtt://h/topic"])",
                             R"("brokers":[5])",
                             R"("properties":{})",
                             R"("properties":[[]])",
                             R"("properties":[["publish","content_type"]])",
                             R"("properties":[["publish","content_type","a","b"]])",
                             R"("properties":[["will","content_type","a"]])",
                             R"("properties":[["connect","authentication_data","a"]])",
                             R"("properties":[["publish","message_expiry_interval","x"]])",
                             R"("publishers":-1)",
                             R"("publishers":null)",
                             R"("name":5)",
                             R"("publish_qos":3)",
                             R"("size":"x")",
                             R"("size":[])",
                             R"("rate":0)",
                             R"("rate":-5)",
                             R"("rate":"5")",
                             R"("rate":1e99)",
                             R"("burst":0)",
                             R"("window":0)",
                             R"("window":65536)",
                             R"("drain_s":-1)",
                             R"("duration_s":0)",
                             R"("duration_s":1e12)",
                             R"("topics":"a/#")",
                             R"("topics":5)",
                             R"("sources":"x")",
                             R"("sources":[5])",
                             R"("count":0)",
                             R"("loop":true)",
                             R"("arrival":"never")",
                             R"("window":5)",
                             R"("preset":"sink","loop":"open")",
                             R"("size":5,"topics":"x")",
                             R"("scale":0)",
                             R"("size":50,"payload":"x")",
                             R"("payload":"{line}")",
                             R"("payload":"@/nowhere")",
                             R"("topic_alias":1)"})
    EXPECT_NE(fault_of("{" + std::string{member} + "}"), "") << member;
}

TEST(ScenarioHash, IsOfWhatAllShardsShare) {
  const mq::bench::Scenario scenario;
  auto elsewhere = scenario, other = scenario;
  elsewhere.sources = {"127.0.0.2"};
  other.seed = scenario.seed + 1;
  EXPECT_EQ(hash_of(elsewhere), hash_of(scenario));
  EXPECT_NE(hash_of(other), hash_of(scenario));
}

TEST(ScenarioFile, WhatIsNoObjectIsRefused) {
  for (const char* text : {"", "[]", "5", "{", "{}x", "{\"seed\"}", "{\"seed\":1,}",
                           "{\"seed\":1 \"ramp\":1}", "{\"seed\":}", "{\"name\":\"\xff\"}"})
    EXPECT_NE(fault_of(text), "") << text;
  EXPECT_EQ(fault_of("{}"), "");
  EXPECT_EQ(fault_of(" \n{ }\n"), "");
}

}  // namespace
