#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <map>
#include <random>

#include <mqtt/net/service.hpp>
#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

std::uint32_t nothing(std::uint32_t /*max*/) { return 0; }
std::uint32_t most(std::uint32_t max) { return max; }

std::vector<std::string> names(const std::vector<HostPort>& hosts) {
  std::vector<std::string> all;
  for (const auto& [host, port] : hosts) all.push_back(host_and_port(host, port));
  return all;
}

TEST(Services, PriorityComesFirst) {
  const std::vector<ServiceRecord> records{{20, 100, {"c", 3}}, {5, 0, {"a", 1}}, {10, 0, {"b", 2}}};
  EXPECT_THAT(names(in_order_of_trial(records, nothing)), ElementsAre("a:1", "b:2", "c:3"));
}

TEST(Services, TheMarkFallsByWeight) {
  const std::vector<ServiceRecord> records{{1, 30, {"heavy", 1}}, {1, 0, {"none", 1}}, {1, 10, {"light", 1}}};
  EXPECT_THAT(names(in_order_of_trial(records, nothing)), ElementsAre("none:1", "light:1", "heavy:1"));
  EXPECT_THAT(names(in_order_of_trial(records, most)), ElementsAre("heavy:1", "light:1", "none:1"));
}

TEST(Services, WeightsAreProportions) {
  std::mt19937 random{7};
  std::map<std::string, int> first;
  for (int i = 0; i < 4000; ++i) {
    const auto order = in_order_of_trial({{1, 3, {"three", 1}}, {1, 1, {"one", 1}}}, [&](std::uint32_t max) {
      return std::uniform_int_distribution<std::uint32_t>{1, max}(random);
    });
    ++first[order.front().host];
  }
  EXPECT_NEAR(first["three"], 3000, 150);
}

TEST(Services, ARecordMayOfferNothing) {
  EXPECT_TRUE(in_order_of_trial({{0, 0, {"", 0}}}, nothing).empty());
  EXPECT_TRUE(in_order_of_trial({}, nothing).empty());
}

/// An answer with one question and these records of the same name.
std::string message(const std::vector<std::string>& records) {
  std::string text = "\x12\x34\x81\x80\0\1\0"s + static_cast<char>(records.size()) + "\0\0\0\0"s;
  text += "\5_mqtt\4_tcp\1x\0\0\x21\0\1"s;
  for (const std::string& data : records)
    text += "\xC0\x0C\0\x21\0\1\0\0\0\x3C"s + '\0' + static_cast<char>(data.size()) + data;
  return text;
}

TEST(Services, ReadsAMessage) {
  const auto found = parse_services(
      as_bytes(message({"\0\1\0\2\x07\x5B\1a\1x\0"s, "\0\1\0\2\x22\xB3\1b\xC0\x17"s, "\0\0\0\0\0\0\0"s})));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].priority, 1);
  EXPECT_EQ(found[0].weight, 2);
  EXPECT_EQ(found[0].address.host, "a.x");
  EXPECT_EQ(found[0].address.port, 1883);
  EXPECT_EQ(found[1].address.host, "b.x") << "compressed";
  EXPECT_EQ(found[1].address.port, 8883);
  EXPECT_THAT(in_order_of_trial(found, nothing), testing::SizeIs(2)) << "'.' is no host";
}

TEST(Services, CutOrTangledMessagesGiveNothing) {
  const std::string whole = message({"\0\1\0\2\x07\x5B\1a\1x\0"s});
  ASSERT_EQ(parse_services(as_bytes(whole)).size(), 1U);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_TRUE(parse_services(as_bytes(whole).first(size)).empty()) << size;
  EXPECT_TRUE(parse_services(as_bytes(message({"\0\1\0\2\x07\x5B\xC0\x2F"s}))).empty()) << "a name in itself";
  EXPECT_TRUE(parse_services(as_bytes(message({"\0\1\0\2\7"s}))).empty()) << "too short for a record";
}

StreamTarget domain(ServiceResolver resolver) {
  StreamTarget target = tcp_target(1, "example.org");
  target.connect.service = "_mqtt._tcp";
  target.connect.resolve_service = std::move(resolver);
  return target;
}

TEST(Services, AreConnectedToInTheirOrder) {
  Loop loop;
  EchoServer server{loop, {}};
  const DeafPort deaf;
  std::string asked;
  const auto opened =
      open_now(loop, domain([&](const std::string& name) -> Result<std::vector<ServiceRecord>> {
                 asked = name;
                 return std::vector<ServiceRecord>{{2, 0, {"127.0.0.1", server.port()}},
                                                   {1, 0, {"127.0.0.1", deaf.port()}}};
               }));
  EXPECT_TRUE(opened) << opened.error().context;
  EXPECT_EQ(asked, "_mqtt._tcp.example.org");
}

TEST(Services, FailuresAreThoseOfResolution) {
  Loop loop;
  const auto refused = open_now(loop, domain([](const std::string&) -> Result<std::vector<ServiceRecord>> {
                                  return fail(ErrorDomain::resolve, NO_DATA, "no such record");
                                }));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().domain, ErrorDomain::resolve);
  const auto none = open_now(loop, domain([](const std::string&) -> Result<std::vector<ServiceRecord>> {
                               return std::vector<ServiceRecord>{{0, 0, {"", 0}}};
                             }));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().domain, ErrorDomain::resolve);
  EXPECT_THAT(none.error().context, HasSubstr("'_mqtt._tcp.example.org' is not offered"));
}

}  // namespace
}  // namespace mqtt::net::test
