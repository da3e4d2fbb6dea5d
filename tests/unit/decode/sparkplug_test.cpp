#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <string>

#include <mqtt/util/bytes.hpp>

#include "decode/formats.hpp"

namespace mq {
namespace {

/// Makes protocol-buffers messages field by field.
class Message {
 public:
  Message& varint(unsigned number, std::uint64_t value) {
    tag(number, 0);
    append_varint(value);
    return *this;
  }
  Message& bytes(unsigned number, std::string_view value) {
    tag(number, 2);
    append_varint(value.size());
    encoded_ += value;
    return *this;
  }
  Message& message(unsigned number, const Message& value) { return bytes(number, value.encoded_); }
  Message& float32(unsigned number, float value) {
    tag(number, 5);
    fixed(std::bit_cast<std::uint32_t>(value), 4);
    return *this;
  }
  Message& float64(unsigned number, double value) {
    tag(number, 1);
    fixed(std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  [[nodiscard]] const std::string& encoded() const { return encoded_; }

 private:
  void tag(unsigned number, unsigned type) { append_varint(std::uint64_t{number} << 3 | type); }
  void append_varint(std::uint64_t value) {
    for (; value > 0x7f; value >>= 7) encoded_ += static_cast<char>(value | 0x80);
    encoded_ += static_cast<char>(value);
  }
  void fixed(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) encoded_ += static_cast<char>(value >> (8 * i));
  }

  std::string encoded_;
};

std::string decoded(std::string_view payload) {
  std::string json;
  const auto result = decode_sparkplug(mqtt::as_bytes(payload), json);
  return result ? json : "fault: " + result.error();
}

Message metric(std::string_view name, std::uint64_t type) { return Message{}.bytes(1, name).varint(4, type); }

/// A payload of this metric alone, without what is around the metric.
std::string metric_json(const Message& metric) {
  const std::string json = decoded(Message{}.message(2, metric).encoded());
  constexpr std::string_view before = R"({"metrics":[)", after = "]}";
  EXPECT_TRUE(json.starts_with(before) && json.ends_with(after)) << json;
  return json.substr(before.size(), json.size() - before.size() - after.size());
}

TEST(Sparkplug, APayloadWithItsMetrics) {
  const std::string payload =
      Message{}
          .varint(1, 1486144502122)
          .message(2, metric("a", 3).varint(2, 7).varint(3, 1486144502123).varint(10, 42))
          .message(2, metric("b", 12).bytes(15, "text"))
          .varint(3, 2)
          .encoded();
  EXPECT_EQ(decoded(payload),
            R"({"timestamp":1486144502122,"seq":2,"metrics":[)"
            R"({"name":"a","alias":7,"timestamp":1486144502123,"datatype":"Int32","value":42},)"
            R"({"name":"b","datatype":"String","value":"text"}]})");
}

TEST(Sparkplug, ValuesAreOfTheirDataType) {
  const auto value = [](const Message& each) {
    const std::string json = metric_json(each);
    return json.substr(json.find("\"value\":") + 8, json.size() - json.find("\"value\":") - 9);
  };
  EXPECT_EQ(value(metric("m", 1).varint(10, 0xfffffffb)), "-5");
  EXPECT_EQ(value(metric("m", 1).varint(10, 0xfb)), "-5");
  EXPECT_EQ(value(metric("m", 2).varint(10, 0xfffffffb)), "-5");
  EXPECT_EQ(value(metric("m", 3).varint(10, 0xfffffffb)), "-5");
  EXPECT_EQ(value(metric("m", 4).varint(11, ~std::uint64_t{0})), "-1");
  EXPECT_EQ(value(metric("m", 8).varint(11, ~std::uint64_t{0})), "18446744073709551615");
  EXPECT_EQ(value(metric("m", 7).varint(10, 0xfffffffb)), "4294967291");
  EXPECT_EQ(value(metric("m", 9).float32(12, 0.1f)), "0.1");
  EXPECT_EQ(value(metric("m", 10).float64(13, -1.25)), "-1.25");
  EXPECT_EQ(value(metric("m", 11).varint(14, 1)), "true");
  EXPECT_EQ(value(metric("m", 13).varint(11, 1486144502122)), "1486144502122");
  EXPECT_EQ(value(metric("m", 17).bytes(16, "\xff")), R"({"base64":"/w=="})");
}

TEST(Sparkplug, ArraysAreCutByTheirDataType) {
  using namespace std::string_view_literals;
  const auto array = [](std::uint64_t type, std::string_view bytes) {
    const std::string json = metric_json(metric("m", type).bytes(16, bytes));
    return json.substr(json.find('['), json.rfind(']') - json.find('[') + 1);
  };
  EXPECT_EQ(array(22, "\xef\x7b"sv), "[-17,123]");
  EXPECT_EQ(array(23, "\xd0\x8a\x30\x75"sv), "[-30000,30000]");
  EXPECT_EQ(array(28, "\x34\x00\x00\x00"sv), "[52]");
  EXPECT_EQ(array(30, "\x00\x00\xc0\x3f"sv), "[1.5]");
  EXPECT_EQ(array(32, "\x0c\x00\x00\x00\x34\xd0"sv),
            "[false,false,true,true,false,true,false,false,true,true,false,true]");
  EXPECT_EQ(array(33, "ABC\0hello\0"sv), R"(["ABC","hello"])");
  EXPECT_EQ(array(34, "\x01\x00\x00\x00\x00\x00\x00\x00"sv), "[1]");
}

TEST(Sparkplug, NullPropertiesAndMetaData) {
  const Message property = Message{}.varint(1, 3).varint(3, 192);
  const Message set = Message{}.bytes(1, "quality").message(2, property);
  EXPECT_EQ(metric_json(metric("m", 3).varint(7, 1).message(8, Message{}.bytes(2, "x/y")).message(9, set)),
            R"({"name":"m","datatype":"Int32","is_null":true,"metadata":{"content_type":"x/y"},)"
            R"("properties":{"keys":["quality"],"values":[{"type":"Int32","value":192}]}})");
}

TEST(Sparkplug, DataSetsAreRowsOfTheColumnsTypes) {
  const auto element = [](Message value) { return value; };
  const Message row = Message{}
                          .message(1, element(Message{}.varint(1, 0xffffffff)))
                          .message(1, element(Message{}.bytes(6, "x")))
                          .message(1, Message{});
  const Message set = Message{}
                          .varint(1, 3)
                          .bytes(2, "a")
                          .bytes(2, "b")
                          .bytes(2, "c")
                          .varint(3, 1)
                          .varint(3, 12)
                          .varint(3, 11)
                          .message(4, row);
  EXPECT_EQ(metric_json(metric("m", 16).message(17, set)),
            R"({"name":"m","datatype":"DataSet","value":{"num_of_columns":3,"columns":["a","b","c"],)"
            R"("types":["Int8","String","Boolean"],"rows":[[-1,"x",null]]}})");
}

TEST(Sparkplug, TemplatesHoldMetricsAndParameters) {
  const Message templ = Message{}
                            .bytes(1, "1.0")
                            .message(2, metric("x", 11).varint(14, 0))
                            .message(3, Message{}.bytes(1, "p").varint(2, 9).float32(5, 2.5f))
                            .varint(5, 1);
  EXPECT_EQ(metric_json(metric("m", 19).message(18, templ)),
            R"({"name":"m","datatype":"Template","value":{"version":"1.0",)"
            R"("metrics":[{"name":"x","datatype":"Boolean","value":false}],)"
            R"("parameters":[{"name":"p","type":"Float","value":2.5}],"is_definition":true}})");
}

TEST(Sparkplug, AnEmptyPayloadIsAnEmptyObject) { EXPECT_EQ(decoded(""), "{}"); }

TEST(Sparkplug, UnknownFieldsAndTypesAreTaken) {
  EXPECT_EQ(decoded(Message{}.varint(99, 1).varint(3, 1).encoded()), R"({"seq":1})");
  EXPECT_EQ(metric_json(metric("m", 77)), R"({"name":"m","datatype":77})");
}

TEST(Sparkplug, TruncatedInsideAFieldIsAFault) {
  const std::string whole = Message{}.message(2, metric("a", 3).varint(10, 42)).encoded();
  for (std::size_t n = 1; n < whole.size(); ++n)
    EXPECT_EQ(decoded(std::string_view{whole}.substr(0, n)), "fault: is not a Sparkplug B payload") << n;
}

TEST(Sparkplug, WrongWireTypesAndDepthsAreFaults) {
  constexpr std::string_view fault = "fault: is not a Sparkplug B payload";
  EXPECT_EQ(decoded(Message{}.bytes(1, "x").encoded()), fault);
  EXPECT_EQ(decoded(Message{}.varint(2, 1).encoded()), fault);
  EXPECT_EQ(decoded(Message{}.message(2, Message{}.float32(10, 1)).encoded()), fault);
  EXPECT_EQ(decoded("\x0b"), fault);  // a group
  EXPECT_EQ(decoded(std::string_view{"\0\0", 2}), fault);
  Message nested = metric("m", 19);
  for (int level = 0; level < 100; ++level)
    nested = metric("m", 19).message(18, Message{}.message(2, nested));
  EXPECT_EQ(decoded(Message{}.message(2, nested).encoded()), fault);
}

}  // namespace
}  // namespace mq
