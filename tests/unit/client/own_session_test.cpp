// A session that outlives lost connections, but not its client, before MQTT 5.0.
#include <algorithm>

#include "scripted_server.hpp"

namespace mqtt::test {
namespace {

constexpr std::string_view accept_v311_resumed = "20 02 01 00";

ClientOptions own_session(Version version = Version::v3_1_1) {
  ClientOptions options = retrying();
  options.connect.version = version;
  options.connect.will = Will{"gone", "", QoS::at_most_once, false, {}};
  options.own_session = true;
  return options;
}

void publish_once(Client& client) {
  if (client.session().in_flight() > 0) return;
  const PublishView header{.qos = QoS::exactly_once, .topic = "t", .properties = {}, .payload = {}};
  EXPECT_TRUE(client.session().publish(client.loop().now(), header, SharedBytes{as_bytes("x"), nullptr}));
  client.flush();
}

/// What a server saw of each connection.
struct Visit {
  bool clean = false;
  bool will = false;
  std::vector<PacketType> packets;
};

void note(std::vector<Visit>& visits, std::size_t connection, const PacketView& packet) {
  visits.resize(std::max(visits.size(), connection + 1));
  if (const auto* connect = std::get_if<ConnectView>(&packet)) {
    visits[connection].clean = connect->clean_start;
    visits[connection].will = connect->will.has_value();
  }
  visits[connection].packets.push_back(type_of(packet));
}

TEST(OwnSession, OutlivesALostConnectionAndIsEndedByACleanOne) {
  net::Loop loop;
  std::vector<Visit> visits;
  ScriptedServer server{loop, [&](auto connection, const PacketView& packet) -> std::optional<std::string> {
                          note(visits, connection, packet);
                          if (is<ConnectView>(packet))
                            return std::string{connection == 1 ? accept_v311_resumed : accept_v311};
                          if (is<PubrelView>(packet)) return "70 02 00 01";
                          if (!is<PublishView>(packet)) return "";
                          EXPECT_EQ(std::get<PublishView>(packet).dup, connection == 1);
                          return connection == 0 ? std::nullopt : std::optional<std::string>{"50 02 00 01"};
                        }};
  Owner owner{loop};
  owner.when_connected = publish_once;
  owner.run(own_session(), server.port());
  ASSERT_TRUE(owner.ended);
  EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
  EXPECT_FALSE(owner.session_left);
  ASSERT_EQ(visits.size(), 3u);
  EXPECT_FALSE(visits[0].clean);
  EXPECT_FALSE(visits[1].clean);
  EXPECT_TRUE(visits[2].clean);
  EXPECT_FALSE(visits[2].will);
  EXPECT_EQ(visits[2].packets, (std::vector{PacketType::connect, PacketType::disconnect}));
}

TEST(OwnSession, ThatCannotBeEndedIsToldAndChangesNothingElse) {
  net::Loop loop;
  ScriptedServer server{loop, [&](auto connection, const PacketView& packet) -> std::optional<std::string> {
                          if (connection == 1) return "20 02 00 03";
                          return is<ConnectView>(packet) ? std::string{accept_v311} : "";
                        }};
  Owner owner{loop};
  owner.run(own_session(), server.port());
  ASSERT_TRUE(owner.ended);
  EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
  ASSERT_TRUE(owner.session_left);
  EXPECT_EQ(owner.session_left->kind, Ending::Kind::refused);
  EXPECT_EQ(server.connections(), 2u) << "the visit is not tried twice";
}

TEST(OwnSession, WhoseConnackWasLostIsEndedToo) {
  net::Loop loop;
  std::vector<Visit> visits;
  ScriptedServer server{loop, [&](auto connection, const PacketView& packet) -> std::optional<std::string> {
                          note(visits, connection, packet);
                          return connection == 0 ? std::nullopt : std::optional{std::string{accept_v311}};
                        }};
  Owner owner{loop};
  owner.when_lost = [](Client& client) { client.disconnect(); };
  ClientOptions options = own_session();
  options.reconnect.first_too = true;
  owner.run(options, server.port());
  ASSERT_TRUE(owner.ended);
  EXPECT_EQ(owner.connected, 0);
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_FALSE(visits[0].clean);
  EXPECT_TRUE(visits[1].clean);
}

TEST(OwnSession, ThatIsOnlyBeginningIsNotOvertakenByItsEnd) {
  net::Loop loop;
  std::vector<Visit> visits;
  Owner* leaving = nullptr;
  ScriptedServer server{loop, [&](auto connection, const PacketView& packet) -> std::optional<std::string> {
                          note(visits, connection, packet);
                          if (!is<ConnectView>(packet)) return "";
                          if (connection == 0) leaving->leave();
                          return std::string{accept_v311};
                        }};
  Owner owner{loop};
  leaving = &owner;
  owner.when_connected = [](Client&) {};
  owner.run(own_session(), server.port());
  ASSERT_TRUE(owner.ended);
  EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_EQ(visits[0].packets, (std::vector{PacketType::connect, PacketType::disconnect}));
  EXPECT_EQ(visits[1].packets, (std::vector{PacketType::connect, PacketType::disconnect}));
  EXPECT_TRUE(visits[1].clean);
}

TEST(OwnSession, IsNotBegunByARefusal) {
  net::Loop loop;
  ScriptedServer server{loop,
                        [&](auto, const PacketView&) -> std::optional<std::string> { return "20 02 00 04"; }};
  Owner owner{loop};
  owner.run(own_session(), server.port());
  ASSERT_TRUE(owner.ended);
  EXPECT_EQ(owner.ended->kind, Ending::Kind::refused);
  EXPECT_EQ(server.connections(), 1u);
}

TEST(OwnSession, With5IsTheCallersAffair) {
  net::Loop loop;
  std::vector<Visit> visits;
  ScriptedServer server{loop, [&](auto connection, const PacketView& packet) -> std::optional<std::string> {
                          note(visits, connection, packet);
                          return is<ConnectView>(packet) ? std::string{accept_v5} : "";
                        }};
  Owner owner{loop};
  owner.run(own_session(Version::v5), server.port());
  ASSERT_TRUE(owner.ended);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_TRUE(visits[0].clean);
}

}  // namespace
}  // namespace mqtt::test
