#include "decode/decoding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include <support/hex.hpp>

namespace mq {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

/// The JSON, or "fault: " and the sentence.
std::string decoded(std::string_view name, mqtt::Bytes payload) {
  Decoding rules;
  EXPECT_TRUE(rules.add("t=" + std::string{name}));
  const auto result = rules.decode("t", payload);
  EXPECT_TRUE(result);
  EXPECT_EQ(result->name, name);
  return result->fault ? "fault: " + *result->fault : result->json;
}

std::string decoded_hex(std::string_view name, std::string_view hex) {
  const auto bytes = mqtt::test::unhex(hex);
  return decoded(name, bytes);
}

TEST(DecodeCbor, ExamplesOfRfc8949AppendixA) {
  const std::array<std::pair<std::string_view, std::string_view>, 28> examples{{
      {"00", "0"},
      {"1818", "24"},
      {"1bffffffffffffffff", "18446744073709551615"},
      {"20", "-1"},
      {"3903e7", "-1000"},
      {"f90000", "0"},
      {"fb3ff199999999999a", "1.1"},
      {"f93c00", "1"},
      {"f97bff", "65504"},
      {"fa47c35000", "1e+05"},
      {"f97c00", "\"Infinity\""},
      {"f97e00", "\"NaN\""},
      {"f4", "false"},
      {"f5", "true"},
      {"f6", "null"},
      {"c11a514b67b0", "1363896240"},
      {"4401020304", R"({"base64":"AQIDBA=="})"},
      {"6449455446", R"("IETF")"},
      {"3bffffffffffffffff", "-18446744073709551616"},
      {"f90001", "5.960464477539063e-08"},
      {"f0", "16"},
      {"5f42010243030405ff", R"({"base64":"AQIDBAU="})"},
      {"7f657374726561646d696e67ff", R"("streaming")"},
      {"a201020304", R"({"1":2,"3":4})"},
      {"83010203", "[1,2,3]"},
      {"a26161016162820203", R"({"a":1,"b":[2,3]})"},
      {"9f018202039f0405ffff", "[1,[2,3],[4,5]]"},
      {"bf61610161629f0203ffff", R"({"a":1,"b":[2,3]})"},
  }};
  for (const auto& [hex, expected] : examples) EXPECT_EQ(decoded_hex("cbor", hex), expected) << hex;
}

TEST(DecodeCbor, WhatIsBrokenIsSaidWithItsPlace) {
  EXPECT_EQ(decoded_hex("cbor", ""), "fault: is broken at byte 0");
  EXPECT_EQ(decoded_hex("cbor", "8301"), "fault: is broken at byte 2");
  EXPECT_EQ(decoded_hex("cbor", "0000"), "fault: is broken at byte 1");  // something behind it
  EXPECT_EQ(decoded_hex("cbor", "ff"), "fault: is broken at byte 1");    // a break of nothing
  EXPECT_EQ(decoded_hex("cbor", "1c"), "fault: is broken at byte 0");    // reserved
  EXPECT_EQ(decoded_hex("cbor", "a1f401"), "fault: has a map key that is neither text nor an integer");
  EXPECT_EQ(decoded_hex("cbor", "7f420102ff"), "fault: is broken at byte 2");        // bytes in a text
  EXPECT_THAT(decoded_hex("cbor", "5affffffff00"), StartsWith("fault: is broken"));  // a length that lies
}

TEST(DecodeCbor, NestingIsBounded) {
  for (const std::size_t depth : {61u, 1000u, 1'000'000u}) {
    const std::vector<std::uint8_t> nested(depth, 0x81);
    EXPECT_EQ(decoded("cbor", nested), "fault: is nested deeper than 60 levels");
  }
  std::vector<std::uint8_t> deep(60, 0x81);
  deep.push_back(0x00);
  EXPECT_EQ(decoded("cbor", deep), std::string(60, '[') + "0" + std::string(60, ']'));
}

TEST(DecodeDocuments, TheSameDocumentInEachFormat) {
  const Json document{
      {"n", -5}, {"big", 1ull << 40}, {"x", 1.5}, {"t", "a\"\n\xc3\xa4"}, {"l", {1, nullptr, true}}};
  EXPECT_EQ(Json::parse(decoded("cbor", Json::to_cbor(document))), document);
  EXPECT_EQ(Json::parse(decoded("msgpack", Json::to_msgpack(document))), document);
  EXPECT_EQ(Json::parse(decoded("bson", Json::to_bson(document))), document);
  EXPECT_EQ(Json::parse(decoded("ubjson", Json::to_ubjson(document))), document);
}

TEST(DecodeDocuments, TruncatedAtEveryByteIsAFault) {
  const Json document{{"n", -500}, {"x", 1.5}, {"t", "text"}, {"l", {1, nullptr, true}}};
  const auto check = [](std::string_view name, const std::vector<std::uint8_t>& whole) {
    for (std::size_t n = 0; n < whole.size(); ++n)
      EXPECT_THAT(decoded(name, mqtt::Bytes{whole}.first(n)), StartsWith("fault: ")) << name << " " << n;
  };
  check("cbor", Json::to_cbor(document));
  check("msgpack", Json::to_msgpack(document));
  check("bson", Json::to_bson(document));
  check("ubjson", Json::to_ubjson(document));
}

TEST(DecodeDocuments, TextThatIsNotUtf8IsBase64AndAKeyIsRepaired) {
  EXPECT_EQ(decoded_hex("msgpack", "a2fffe"), R"({"base64":"//4="})");
  EXPECT_EQ(decoded_hex("msgpack", "81a1ff01"), "{\"\xef\xbf\xbd\":1}");
  EXPECT_EQ(decoded_hex("msgpack", "81a2220a01"), R"({"\"\n":1})");
}

TEST(DecodeJson, StaysAsItIsOnOneLine) {
  const std::string text = "{\"a\": 1.10,\n \"b\":\r\n 123456789012345678901234567890}";
  EXPECT_EQ(decoded("json", mqtt::as_bytes(text)), "{\"a\": 1.10,  \"b\":   123456789012345678901234567890}");
  EXPECT_EQ(decoded("json", mqtt::as_bytes("{\"a\":")), "fault: is not JSON");
  EXPECT_EQ(decoded("json", {}), "fault: is not JSON");
}

TEST(DecodeNumbers, BothOrdersAllSizesAndArrays) {
  EXPECT_EQ(decoded_hex("int8", "ff"), "-1");
  EXPECT_EQ(decoded_hex("uint8", "ff"), "255");
  EXPECT_EQ(decoded_hex("int16be", "fffe"), "-2");
  EXPECT_EQ(decoded_hex("int16le", "fffe"), "-257");
  EXPECT_EQ(decoded_hex("uint32be", "00000100"), "256");
  EXPECT_EQ(decoded_hex("uint32le", "00000100"), "65536");
  EXPECT_EQ(decoded_hex("int64le", "ffffffffffffff7f"), "9223372036854775807");
  EXPECT_EQ(decoded_hex("uint64be", "ffffffffffffffff"), "18446744073709551615");
  EXPECT_EQ(decoded_hex("float32be", "3dcccccd"), "0.1");
  EXPECT_EQ(decoded_hex("float32le", "cdcccc3d"), "0.1");
  EXPECT_EQ(decoded_hex("float64be", "3fb999999999999a"), "0.1");
  EXPECT_EQ(decoded_hex("float32be", "7f800000"), R"("Infinity")");
  EXPECT_EQ(decoded_hex("float64le", "000000000000f0ff"), R"("-Infinity")");
  EXPECT_EQ(decoded_hex("float32be", "7fc00000"), R"("NaN")");
  EXPECT_EQ(decoded_hex("int16be", "00010002"), "[1,2]");
  EXPECT_EQ(decoded_hex("float32be", "000000"), "fault: has 3 bytes, not a multiple of 4");
  EXPECT_EQ(decoded_hex("int8", ""), "fault: has 0 bytes, not a multiple of 1");
}

TEST(DecodeTexts, HexAndBase64) {
  EXPECT_EQ(decoded_hex("hex", "00ff1a"), R"("00ff1a")");
  EXPECT_EQ(decoded_hex("hex", ""), R"("")");
  EXPECT_EQ(decoded_hex("base64", "00ff"), R"("AP8=")");
}

TEST(DecodingRules, TheFirstThatMatchesDecides) {
  Decoding rules;
  ASSERT_TRUE(rules.add("a/+=hex"));
  ASSERT_TRUE(rules.add("a/#=int8"));
  ASSERT_TRUE(rules.add("$share/g/s=uint8"));
  const std::array<std::uint8_t, 1> payload{0x80};
  EXPECT_EQ(rules.decode("a/b", payload)->name, "hex");
  EXPECT_EQ(rules.decode("a/b/c", payload)->json, "-128");
  EXPECT_EQ(rules.decode("s", payload)->json, "128");
  EXPECT_FALSE(rules.decode("b", payload));
}

TEST(DecodingRules, AreSplitAtTheLastEqualsSign) {
  Decoding rules;
  ASSERT_TRUE(rules.add("a=b/c=hex"));
  EXPECT_TRUE(rules.decode("a=b/c", {}));
}

TEST(DecodingRules, WrongOnesAreSaid) {
  Decoding rules;
  EXPECT_EQ(rules.add("a/#").error(), "'a/#' is not FILTER=DECODER, such as 'plant/#=cbor'");
  EXPECT_THAT(rules.add("a/#/b=hex").error(), StartsWith("'a/#/b': "));
  EXPECT_THAT(rules.add("=hex").error(), StartsWith("'': "));
  EXPECT_THAT(rules.add("a=hexx").error(), HasSubstr("'hexx' is not a decoder: json, cbor"));
  EXPECT_TRUE(rules.empty());
}

}  // namespace
}  // namespace mq
