#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include <mqtt/inspect/describe.hpp>
#include <mqtt/inspect/lint.hpp>

#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

/// A packet that was handed over, and what was found in it.
struct Kept {
  std::uint8_t first_byte = 0;
  std::size_t kept = 0;  // of the payload
  std::uint64_t left_out = 0;
  std::uint64_t size = 0;
  bool unread = false;
  std::string clause;  // of a fault
  std::string line;
  std::vector<std::string_view> findings;
};

class Keep final : public FlowWatcher {
 public:
  void before_packet(const FlowPacket& packet, const FlowState& state) override {
    std::vector<Finding> findings;
    lint(packet, state, findings);
    Kept& seen = all.emplace_back(Kept{.first_byte = packet.bytes[0],
                                       .left_out = packet.left_out,
                                       .size = packet.size(),
                                       .unread = !packet.packet && !packet.broken,
                                       .clause = {},
                                       .line = {},
                                       .findings = {}});
    if (packet.broken) seen.clause = packet.broken->faults.front().clause;
    for (const Finding& finding : findings) seen.findings.push_back(finding.clause);
    const auto* publish = packet.packet ? std::get_if<PublishView>(&*packet.packet) : nullptr;
    if (!publish) return;
    seen.kept = publish->payload.size();
    append_description(seen.line, *packet.packet, packet.version,
                       {.payload_preview_bytes = 4, .topic = packet.topic, .left_out = packet.left_out});
  }
  void after_packet(const FlowPacket&, const FlowState&) override {}
  void on_close(const FlowClose&, const FlowState&) override {}

  std::vector<Kept> all;
};

/// A PUBLISH in `version` and a PINGREQ behind it.
std::vector<std::uint8_t> publish_and_ping(const std::string& payload, Version version,
                                           const Properties& properties = {}) {
  PublishView p{.qos = QoS::at_least_once, .topic = "a", .packet_id = 7, .payload = as_bytes(payload)};
  if (version == Version::v5) p.properties = properties;
  auto bytes = encoded(p, version);
  bytes.insert(bytes.end(), {0xC0, 0});
  return bytes;
}

std::vector<Kept> received(Bytes bytes, Version version, std::size_t piece) {
  Flow flow{Flow::Start::excerpt, version};
  Keep keep;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    flow.receive(Sender::client, {}, bytes.subspan(at, std::min(piece, bytes.size() - at)), keep);
  return keep.all;
}

TEST(LongPayload, ItsFrontIsKeptAndTheRestIsCounted) {
  const std::string payload(2 * payload_kept_max + 5, 'x');
  for (const Version version : {Version::v3_1_1, Version::v5}) {
    const auto bytes = publish_and_ping(payload, version);
    for (const std::size_t piece : {bytes.size(), std::size_t{65'536}, std::size_t{9'999}}) {
      const auto seen = received(bytes, version, piece);
      ASSERT_EQ(seen.size(), 2u) << piece;
      EXPECT_EQ(seen[0].kept, payload_kept_max);
      EXPECT_EQ(seen[0].left_out, payload_kept_max + 5);
      EXPECT_EQ(seen[0].size, bytes.size() - 2);
      EXPECT_EQ(seen[0].line, "PUBLISH  q1 #7 a 2097157B xxxx…");
      EXPECT_EQ(seen[1].first_byte, 0xC0);
    }
  }
}

TEST(LongPayload, IsLongFromOneByteAboveTheBound) {
  for (const std::size_t more : {0u, 1u}) {
    const auto bytes = publish_and_ping(std::string(payload_kept_max + more, 'x'), Version::v5);
    for (const std::size_t piece : {bytes.size(), std::size_t{1'000}}) {
      const auto seen = received(bytes, Version::v5, piece);
      ASSERT_EQ(seen.size(), 2u);
      EXPECT_EQ(seen[0].kept, payload_kept_max);
      EXPECT_EQ(seen[0].left_out, more);
    }
  }
}

Properties many_properties(int count) {
  const std::string value(60'000, 'v');
  Properties properties;
  for (int i = 0; i < count; ++i) properties.add_user_property("k", value);
  return properties;
}

TEST(LongPayload, IsKeptBesidesProperties) {
  const auto bytes =
      publish_and_ping(std::string(payload_kept_max + 1, 'x'), Version::v5, many_properties(15));
  const auto seen = received(bytes, Version::v5, 65'536);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].clause, "");
  EXPECT_EQ(seen[0].kept, payload_kept_max);
  EXPECT_EQ(seen[0].left_out, 1u);
}

TEST(LongPacket, WithPropertiesAboveTheBoundIsNotRead) {
  const auto bytes = publish_and_ping("x", Version::v5, many_properties(30));
  for (const std::size_t piece : {bytes.size(), std::size_t{65'536}}) {
    const auto seen = received(bytes, Version::v5, piece);
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_TRUE(seen[0].unread);
    EXPECT_EQ(seen[0].size, bytes.size() - 2);
    EXPECT_EQ(seen[0].left_out, seen[0].size - unread_kept);
    EXPECT_EQ(seen[1].first_byte, 0xC0);
  }
}

/// A SUBSCRIBE of so many bytes, all of which but its header are 0, and a PINGREQ behind it.
std::vector<std::uint8_t> subscribe_and_ping(std::size_t size) {
  const std::size_t length = size - 5;
  std::vector<std::uint8_t> bytes{0x82};
  for (unsigned shift = 0; shift < 28; shift += 7)
    bytes.push_back(static_cast<std::uint8_t>((length >> shift & 0x7F) | (shift < 21 ? 0x80 : 0)));
  bytes.resize(size);
  bytes.insert(bytes.end(), {0xC0, 0});
  return bytes;
}

TEST(LongPacket, AboveTheBoundIsCountedAndNotJudged) {
  const auto bytes = subscribe_and_ping(3 * packet_kept_max);
  for (const std::size_t piece : {bytes.size(), std::size_t{65'536}, std::size_t{999}}) {
    const auto seen = received(bytes, Version::v5, piece);
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_TRUE(seen[0].unread);
    EXPECT_TRUE(seen[0].findings.empty());
    EXPECT_EQ(seen[0].size, 3 * packet_kept_max);
    EXPECT_EQ(seen[0].left_out, 3 * packet_kept_max - unread_kept);
    EXPECT_EQ(seen[1].first_byte, 0xC0);
  }
}

TEST(LongPacket, ThatIsCutSaysSo) {
  const auto bytes = subscribe_and_ping(3 * packet_kept_max);
  Flow flow{Flow::Start::excerpt, Version::v5};
  Keep keep;
  flow.receive(Sender::client, {}, Bytes{bytes}.first(packet_kept_max), keep);
  flow.give_up_rest(Sender::client, {}, keep);
  ASSERT_EQ(keep.all.size(), 1u);
  EXPECT_EQ(keep.all[0].findings, std::vector<std::string_view>{"v5#2.1.4/rl-fit"});
  EXPECT_EQ(keep.all[0].size, packet_kept_max);
}

TEST(LongPacket, WhatNobodyHasKeptCanBeTold) {
  const auto bytes = subscribe_and_ping(3 * packet_kept_max);
  for (const std::size_t kept : {std::size_t{100}, unread_kept}) {
    Flow flow{Flow::Start::excerpt, Version::v5};
    Keep keep;
    flow.receive(Sender::client, {}, Bytes{bytes}.first(kept), keep);
    flow.leave_out(Sender::client, {}, 3 * packet_kept_max - kept, keep);
    flow.receive(Sender::client, {}, Bytes{bytes}.last(2), keep);
    ASSERT_EQ(keep.all.size(), 2u);
    EXPECT_TRUE(keep.all[0].unread);
    EXPECT_EQ(keep.all[0].size, 3 * packet_kept_max);
  }
}

std::size_t resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::ifstream{"/proc/self/statm"} >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST(LongPacket, AThousandConnectionsOfThemDoNotFillTheMemory) {
  const auto bytes = subscribe_and_ping(3 * packet_kept_max);
  const std::size_t before = resident_bytes();
  Keep keep;
  std::vector<Flow> flows;
  for (int i = 0; i < 1'000; ++i) {
    Flow& flow = flows.emplace_back(Flow::Start::excerpt, Version::v5);
    for (const Sender sender : {Sender::client, Sender::server})
      for (std::size_t at = 0; at < 2 * packet_kept_max; at += 65'536)
        flow.receive(sender, {}, Bytes{bytes}.subspan(at, 65'536), keep);
  }
  EXPECT_TRUE(keep.all.empty());
  EXPECT_LT(resident_bytes() - before, std::size_t{1024} * 1024 * 1024) << "they have sent 4 GiB";
}

TEST(LongPayload, AFaultInFrontOfItIsFoundAllTheSame) {
  auto bytes = publish_and_ping(std::string(3 * payload_kept_max, 'x'), Version::v5);
  const auto fault = [&](std::size_t at, std::initializer_list<std::uint8_t> wrong) {
    auto changed = bytes;
    std::ranges::copy(wrong, changed.begin() + static_cast<std::ptrdiff_t>(at));
    const auto seen = received(changed, Version::v5, 65'536);
    EXPECT_EQ(seen.size(), 2u);
    return seen.front().clause;
  };
  EXPECT_EQ(fault(0, {0x36}), "MQTT-3.3.1-4");
  EXPECT_NE(fault(10, {0xFF, 0xFF, 0xFF, 0x7F}), "") << "properties that end behind the packet";
  EXPECT_NE(fault(10, {0xFF, 0xFF, 0xFF, 0xFF}), "") << "a length of properties that does not end";
}

TEST(LongPayload, OneThatIsCutIsAFaultOfTheBytesThatWereThere) {
  const auto bytes = publish_and_ping(std::string(2 * payload_kept_max, 'x'), Version::v5);
  Flow flow{Flow::Start::excerpt, Version::v5};
  Keep keep;
  const Bytes cut = Bytes{bytes}.first(payload_kept_max + 1'000);
  flow.receive(Sender::client, {}, cut, keep);
  flow.give_up_rest(Sender::client, {}, keep);
  ASSERT_EQ(keep.all.size(), 1u);
  EXPECT_EQ(keep.all[0].size, cut.size());
  EXPECT_NE(keep.all[0].clause, "");
  flow.receive(Sender::client, {}, Bytes{bytes}.last(2), keep);
  EXPECT_EQ(keep.all.size(), 2u);
}

TEST(LongPayload, WhatNobodyHasKeptCanBeTold) {
  const auto bytes = publish_and_ping(std::string(5'000, 'x'), Version::v5);
  Flow flow{Flow::Start::excerpt, Version::v5};
  Keep keep;
  flow.receive(Sender::client, {}, Bytes{bytes}.first(1'000), keep);
  flow.leave_out(Sender::client, {}, bytes.size() - 2 - 1'000, keep);
  flow.receive(Sender::client, {}, Bytes{bytes}.last(2), keep);
  ASSERT_EQ(keep.all.size(), 2u);
  EXPECT_EQ(keep.all[0].size, bytes.size() - 2);
  EXPECT_EQ(keep.all[0].kept + keep.all[0].left_out, 5'000u);
  EXPECT_EQ(flow.state().side(Sender::client).bytes, bytes.size());
}

TEST(LongPayload, OfAnotherPacketThatIsAGap) {
  Flow flow{Flow::Start::excerpt, Version::v5};
  Keep keep;
  const std::uint8_t begun[] = {0x82, 7, 0, 1};
  flow.receive(Sender::client, {}, begun, keep);
  flow.leave_out(Sender::client, {}, 5, keep);
  flow.leave_out(Sender::client, {}, 5, keep);
  EXPECT_TRUE(keep.all.empty());
  EXPECT_TRUE(flow.state().side(Sender::client).partial);
  EXPECT_EQ(flow.skipped(), 4u);
}

TEST(LongPayload, OnlyWhatIsKeptOfATextIsJudged) {
  Properties text;
  text.add(PropertyId::payload_format_indicator, 1);
  const auto findings = [&](std::string payload) {
    return received(publish_and_ping(payload, Version::v5, text), Version::v5, 65'536).front().findings;
  };
  std::string cut(2 * payload_kept_max, 'x');
  cut.replace(payload_kept_max - 1, 2, "\xC3\xA4");  // a character over the bound
  EXPECT_TRUE(findings(cut).empty());
  EXPECT_EQ(findings(cut.replace(1'000, 1, "\xFF")).size(), 1u);
}

}  // namespace
}  // namespace mqtt::test
