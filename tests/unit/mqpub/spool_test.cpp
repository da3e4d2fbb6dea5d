#include "mqpub/spool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <vector>

#include "support/temp_directory.hpp"

namespace mq {
namespace {

using mqtt::PacketId;
using mqtt::QoS;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SpoolTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<Spool> open(std::string_view id = "me",
                                            Spool::ClientId origin = Spool::ClientId::made_up) const {
    auto spool = Spool::open(path_, id, origin);
    if (!spool) ADD_FAILURE() << spool.error().context;
    return spool ? std::move(*spool) : nullptr;
  }

  static void add(Spool& spool, PacketId id, std::string_view payload, std::uint64_t record = 1) {
    mqtt::PublishView message{.qos = QoS::exactly_once, .retain = true, .topic = "a/b", .packet_id = id};
    ASSERT_TRUE(spool.reserve(message, payload.size()));
    spool.add(message, mqtt::as_bytes(payload), record, 5);
  }

  /// "7:payload", or "7!" for one that was taken over.
  static std::vector<std::string> content(const Spool& spool) {
    std::vector<std::string> found;
    const auto read = spool.for_each([&](const Spool::Message& message) {
      found.push_back(std::to_string(message.header.packet_id) +
                      (message.taken_over ? "!" : ":" + mqtt::to_string(message.payload)));
    });
    EXPECT_TRUE(read);
    return found;
  }

  [[nodiscard]] std::uint64_t file_size() const { return std::filesystem::file_size(path_); }

  const mqtt::test::TempDirectory directory_;
  const std::string path_ = directory_.file("spool");
};

TEST_F(SpoolTest, KeepsEverythingOfAMessage) {
  mqtt::Properties properties;
  properties.add(mqtt::PropertyId::content_type, "text");
  const std::string payload{"\0\xff\n", 3};
  {
    auto spool = open();
    mqtt::PublishView message{
        .qos = QoS::at_least_once, .topic = "t\xc3\xa9", .packet_id = 65535, .properties = properties};
    ASSERT_TRUE(spool->reserve(message, payload.size()));
    spool->add(message, mqtt::as_bytes(payload), 3, 1'795'245'607'676);
    ASSERT_TRUE(spool->commit());
  }
  auto spool = open("another");
  EXPECT_EQ(spool->client_id(), "me");
  EXPECT_EQ(spool->taken(), 3u);
  ASSERT_TRUE(spool->for_each([&](const Spool::Message& message) {
    EXPECT_EQ(message.header.qos, QoS::at_least_once);
    EXPECT_FALSE(message.header.retain || message.taken_over);
    EXPECT_EQ(message.header.topic, "t\xc3\xa9");
    EXPECT_EQ(message.header.packet_id, 65535);
    EXPECT_TRUE(mqtt::equal(message.header.properties.encoded(), properties.view().encoded()));
    EXPECT_EQ(mqtt::as_text(message.payload), payload);
    EXPECT_EQ(message.added_ms, 1'795'245'607'676);
  }));
  EXPECT_EQ(spool->size(), 1u);
}

TEST_F(SpoolTest, OrderIsThatOfTheLastPackets) {
  auto spool = open();
  for (PacketId id = 1; id <= 4; ++id) add(*spool, id, "x");
  spool->take_over(2);
  spool->done(1);
  spool->take_over(3);
  spool->take_over(2);  // PUBREC came again: nothing changes
  ASSERT_TRUE(spool->commit());
  spool.reset();
  EXPECT_THAT(content(*open()), ElementsAre("4:x", "2!", "3!"));
}

TEST_F(SpoolTest, WhatWasNotCommittedMayBeGoneButNothingElse) {
  auto spool = open();
  add(*spool, 1, "one");
  ASSERT_TRUE(spool->commit());
  add(*spool, 2, "two");
  spool.reset();  // as kill -9 does
  EXPECT_THAT(content(*open()), ElementsAre("1:one"));
}

TEST_F(SpoolTest, ATornLastRecordIsCutOffWhereverItWasTorn) {
  auto spool = open();
  add(*spool, 1, "one");
  ASSERT_TRUE(spool->finish());
  const auto first = file_size();
  add(*spool, 2, "two");
  ASSERT_TRUE(spool->finish());
  spool.reset();
  const auto both = file_size();
  std::string whole(both, '\0');
  std::ifstream{path_, std::ios::binary}.read(whole.data(), static_cast<std::streamsize>(both));
  for (auto size = first; size < both; ++size) {
    for (const bool zeros : {false, true}) {  // cut off, or space that was reserved and not yet written
      std::string torn = whole.substr(0, size);
      if (zeros) torn.resize(both + 100);
      std::ofstream{path_, std::ios::binary} << torn;
      spool = open();
      EXPECT_THAT(content(*spool), ElementsAre("1:one")) << size;
      add(*spool, 3, "three");
      ASSERT_TRUE(spool->commit());
      spool.reset();
      EXPECT_THAT(content(*open()), ElementsAre("1:one", "3:three")) << size;
    }
  }
  whole[both - 1] = static_cast<char>(whole[both - 1] ^ 1);
  std::ofstream{path_, std::ios::binary} << whole;
  EXPECT_THAT(content(*open()), ElementsAre("1:one"));
}

TEST_F(SpoolTest, OneProcessAtATime) {
  const auto first = open();
  const auto second = Spool::open(path_, "me", Spool::ClientId::made_up);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().context, HasSubstr("in use"));
}

TEST_F(SpoolTest, AnotherFileIsLeftAlone) {
  std::ofstream{path_} << "something else, and longer than a header";
  const auto spool = Spool::open(path_, "me", Spool::ClientId::made_up);
  ASSERT_FALSE(spool);
  EXPECT_EQ(spool.error().code, EBADMSG);
  EXPECT_EQ(file_size(), 40u);
}

TEST_F(SpoolTest, TheClientIdOfMessagesStays) {
  open("one").reset();
  EXPECT_EQ(open("made up")->client_id(), "one");
  EXPECT_EQ(open("two", Spool::ClientId::given)->client_id(), "two");
  auto spool = open();
  add(*spool, 1, "x");
  ASSERT_TRUE(spool->commit());
  spool.reset();
  EXPECT_EQ(open("three", Spool::ClientId::given)->client_id(), "two");
}

TEST_F(SpoolTest, TheInputsPositionOutlivesItsMessages) {
  auto spool = open();
  add(*spool, 1, "x", 41);
  add(*spool, 2, "x", 42);
  spool->done(1);
  spool->done(2);
  ASSERT_TRUE(spool->finish());
  spool.reset();
  spool = open();
  EXPECT_EQ(spool->taken(), 42u);
  spool->forget_input();
  ASSERT_TRUE(spool->finish());
  spool.reset();
  EXPECT_EQ(open()->taken(), 0u);
}

TEST_F(SpoolTest, TheLogStaysInProportionToWhatLives) {
  auto spool = open();
  const std::string payload(200'000, 'x');
  add(*spool, 9, "oldest");
  spool->take_over(9);
  for (int n = 0; n < 300; ++n) {
    const auto id = static_cast<PacketId>(10 + n % 5);
    spool->done(id);
    add(*spool, id, payload, static_cast<std::uint64_t>(n));
    ASSERT_TRUE(spool->commit());
    ASSERT_LT(file_size(), 12u << 20);
  }
  for (PacketId id = 10; id < 14; ++id) spool->done(id);
  ASSERT_TRUE(spool->finish());
  spool.reset();
  spool = open();
  EXPECT_THAT(content(*spool), ElementsAre("9!", "14:" + payload));
  EXPECT_EQ(spool->taken(), 299u);
  EXPECT_FALSE(Spool::open(path_, "me", Spool::ClientId::made_up)) << "the new file is locked, too";
  spool->done(9);
  spool->done(14);
  ASSERT_TRUE(spool->finish());
  EXPECT_THAT(content(*spool), IsEmpty());
  EXPECT_LT(file_size(), 100u);
}

}  // namespace
}  // namespace mq
