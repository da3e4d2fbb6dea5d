#include <mqtt/client/client.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <mqtt/net/listener.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scripted_server.hpp"

namespace mqtt::test {
namespace {

/// Accepts one client and then takes what it sends in portions, one per call of take().
class SlowServer final : net::StreamHandler {
 public:
  explicit SlowServer(net::Loop& loop) {
    auto opened = net::Listener::open(
        loop, {},
        [this](auto stream) {
          stream_ = std::move(stream);
          stream_->set_handler(this);
        },
        [](Error error) { ADD_FAILURE() << error.context; });
    listener_ = std::move(*opened);
  }

  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
  void take(std::size_t bytes) {
    wanted_ = bytes;
    if (stream_) stream_->resume_reading();
  }

  std::size_t publishes = 0, disconnects = 0;

 private:
  void on_data(Bytes input) override {
    wanted_ -= std::min(wanted_, input.size());
    for (auto frame = framer_.next(input); frame && *frame; frame = framer_.next(input))
      count(*decode(**frame, {Version::v5, Sender::client}));
    if (wanted_ == 0) stream_->pause_reading();
  }
  void count(const PacketView& packet) {
    publishes += std::holds_alternative<PublishView>(packet);
    disconnects += std::holds_alternative<DisconnectView>(packet);
    if (!std::holds_alternative<ConnectView>(packet)) return;
    const ByteVector accept = unhex(accept_v5);
    const iovec part{const_cast<std::uint8_t*>(accept.data()), accept.size()};
    EXPECT_EQ(stream_->write({&part, 1}).value_or(0), accept.size());
  }
  void on_writable() override {}
  void on_end() override { stream_.reset(); }
  void on_error(Error) override { stream_.reset(); }

  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<net::ByteStream> stream_;
  Framer framer_;
  std::size_t wanted_ = 0;
};

TEST(Client, ConnectsAndLeavesInOrder) {
  net::Loop loop;
  std::vector<PacketType> seen;
  ScriptedServer server{loop, [&](auto, const PacketView& packet) -> std::optional<std::string> {
                          seen.push_back(type_of(packet));
                          return is<ConnectView>(packet) ? std::string{accept_v5} : "";
                        }};
  Owner owner{loop};
  owner.run({}, server.port());
  ASSERT_TRUE(owner.ended);
  EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
  EXPECT_TRUE(owner.ended->was_connected);
  EXPECT_EQ(seen, (std::vector{PacketType::connect, PacketType::disconnect}));
}

TEST(Client, FallsBackTo311WhenTheServerDoesNotSpeak5) {
  for (const char* refusal : {"20 02 00 01", "20 03 00 84 00"}) {
    net::Loop loop;
    ScriptedServer server{loop, [&](auto connection, const PacketView& packet) -> std::optional<std::string> {
                            if (!is<ConnectView>(packet)) return "";
                            EXPECT_EQ(std::get<ConnectView>(packet).version,
                                      connection == 0 ? Version::v5 : Version::v3_1_1);
                            return connection == 0 ? refusal : std::string{accept_v311};
                          }};
    Owner owner{loop};
    ClientOptions options;
    options.version_fallback = true;
    options.connect.properties.add(PropertyId::session_expiry_interval, 60);
    owner.run(options, server.port());
    EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
    EXPECT_EQ(owner.connected, 1);
  }
}

/// One of many with the same options.
class Numbered final : public ClientHandler {
 public:
  Numbered(net::Loop& loop, std::shared_ptr<const ClientOptions> options, std::uint16_t port, int number)
      : port_{port}, number_{number}, client_{loop, std::move(options), *this} {
    client_.start();
  }

  std::vector<net::OpenStep> steps;
  std::optional<Ending> ended;

 private:
  void on_opening(net::StreamTarget& target) override { target.hosts = {{"127.0.0.1", port_}}; }
  void on_connecting(ConnectOptions& connect) override { connect.client_id = "c" + std::to_string(number_); }
  void on_step(net::OpenStep step) override { steps.push_back(step); }
  void on_connack(const ConnackView&) override { client_.disconnect(); }
  void on_message(const PublishView&, AckToken) override {}
  void on_published(PacketId, ReasonCode, PropertiesView) override {}
  void on_ended(const Ending& ending) override { ended = ending; }

  std::uint16_t port_;
  int number_;
  Client client_;
};

TEST(Client, ManyShareTheirOptionsAndSayThemselvesWhoTheyAreAndWhereTheyGo) {
  net::Loop loop;
  std::set<std::string> seen;
  std::optional<ScriptedServer> server{std::in_place, loop,
                                       [&](auto, const PacketView& packet) -> std::optional<std::string> {
                                         const auto* connect = std::get_if<ConnectView>(&packet);
                                         if (!connect) return std::nullopt;
                                         seen.insert(std::string{connect->client_id});
                                         EXPECT_EQ(connect->keep_alive, 17);
                                         return std::string{accept_v5};
                                       }};
  auto options = std::make_shared<ClientOptions>();
  options->connect.keep_alive = 17;
  std::vector<std::unique_ptr<Numbered>> clients;
  for (int n = 0; n < 3; ++n) clients.push_back(std::make_unique<Numbered>(loop, options, server->port(), n));
  net::Timer poll{loop, [&] {
                    const bool over = std::ranges::all_of(
                        clients, [](const auto& each) { return each->ended.has_value(); });
                    over ? server.reset() : poll.set(loop.now() + 1ms);
                  }};
  poll.set(loop.now());
  loop.run();
  EXPECT_EQ(seen, (std::set<std::string>{"c0", "c1", "c2"}));
  for (const auto& each : clients) {
    EXPECT_EQ(each->ended->kind, Ending::Kind::finished);
    EXPECT_EQ(each->steps, std::vector{net::OpenStep::connected});
  }
}

TEST(Client, DoesNotFallBackUnasked) {
  net::Loop loop;
  ScriptedServer server{loop,
                        [&](auto, const PacketView&) -> std::optional<std::string> { return "20 02 00 01"; }};
  Owner owner{loop};
  owner.run({}, server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::refused);
  EXPECT_EQ(owner.ended->close.code, ReasonCode::unsupported_protocol_version);
  EXPECT_EQ(server.connections(), 1u);
}

TEST(Client, BadCredentialsAreNotTriedAgain) {
  net::Loop loop;
  ScriptedServer server{
      loop, [&](auto, const PacketView&) -> std::optional<std::string> { return "20 03 00 86 00"; }};
  Owner owner{loop};
  owner.run(retrying(), server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::refused);
  EXPECT_EQ(owner.ended->close.code, ReasonCode::bad_user_name_or_password);
  EXPECT_EQ(server.connections(), 1u);
}

TEST(Client, ABusyServerIsTriedAgainUpToTheMaximum) {
  net::Loop loop;
  ScriptedServer server{
      loop, [&](auto, const PacketView&) -> std::optional<std::string> { return "20 03 00 89 00"; }};
  Owner owner{loop};
  owner.run(retrying(), server.port());
  EXPECT_EQ(owner.ended->close.code, ReasonCode::server_busy);
  EXPECT_EQ(server.connections(), 6u);
  EXPECT_EQ(owner.lost.size(), 5u);
}

TEST(Client, ALostConnectionResumesTheSessionWithDup) {
  net::Loop loop;
  std::vector<std::pair<std::size_t, bool>> publishes;
  bool first_was_clean = false, second_was_clean = true;
  ScriptedServer server{loop, [&](auto connection, const PacketView& packet) -> std::optional<std::string> {
                          if (const auto* connect = std::get_if<ConnectView>(&packet)) {
                            (connection == 0 ? first_was_clean : second_was_clean) = connect->clean_start;
                            return std::string{connection == 0 ? accept_v5 : accept_v5_resumed};
                          }
                          const auto* publish = std::get_if<PublishView>(&packet);
                          if (!publish) return "";
                          publishes.emplace_back(connection, publish->dup);
                          if (connection == 0) return std::nullopt;
                          return "40 02 00 01";
                        }};
  Owner owner{loop};
  owner.when_connected = [&](Client& client) {
    if (owner.connected > 1) return;
    const PublishView header{.qos = QoS::at_least_once, .topic = "t", .properties = {}, .payload = {}};
    EXPECT_EQ(client.session()
                  .publish(client.loop().now(), header, SharedBytes{as_bytes("x"), nullptr})
                  .value_or(0),
              1);
    client.flush();
  };
  ClientOptions options = retrying();
  options.connect.properties.add(PropertyId::session_expiry_interval, 60);
  owner.run(options, server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
  EXPECT_EQ(publishes, (std::vector<std::pair<std::size_t, bool>>{{0, false}, {1, true}}));
  EXPECT_TRUE(first_was_clean);
  EXPECT_FALSE(second_was_clean);
  ASSERT_EQ(owner.lost.size(), 1u);
  EXPECT_EQ(owner.lost[0].kind, Ending::Kind::connection_lost);
}

TEST(Client, AServerThatAcceptsAndHangsUpIsGivenUpLikeOneThatRefuses) {
  net::Loop loop;
  ScriptedServer server{loop, [&](auto, const PacketView& packet) -> std::optional<std::string> {
                          if (is<ConnectView>(packet)) return std::string{accept_v5};
                          return std::nullopt;
                        }};
  Owner owner{loop};
  owner.when_connected = [](Client& client) {
    if (client.session().in_flight() > 0) return;
    const PublishView poison{.qos = QoS::at_least_once, .topic = "t", .properties = {}, .payload = {}};
    EXPECT_TRUE(client.session().publish(client.loop().now(), poison, SharedBytes{as_bytes("x"), nullptr}));
    client.flush();
  };
  owner.run(retrying(), server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::connection_lost);
  EXPECT_EQ(owner.lost.size(), 5u);
}

TEST(Client, AnAssignedClientIdIsKeptWhenItReconnects) {
  net::Loop loop;
  std::vector<std::string> ids;
  ScriptedServer server{loop, [&](auto connection, const PacketView& packet) -> std::optional<std::string> {
                          if (const auto* connect = std::get_if<ConnectView>(&packet)) {
                            ids.emplace_back(connect->client_id);
                            return connection == 0 ? "20 0a 00 00 07 12 00 04 'made'"
                                                   : std::string{accept_v5};
                          }
                          if (!is<PublishView>(packet)) return "";
                          return connection == 0 ? std::nullopt : std::optional<std::string>{"40 02 00 01"};
                        }};
  Owner owner{loop};
  owner.client_id = "";
  owner.when_connected = [&](Client& client) {
    if (owner.connected > 1) return;
    const PublishView header{.qos = QoS::at_least_once, .topic = "t", .properties = {}, .payload = {}};
    EXPECT_TRUE(client.session().publish(client.loop().now(), header, SharedBytes{as_bytes("x"), nullptr}));
    client.flush();
  };
  owner.run(retrying(), server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
  EXPECT_EQ(ids, (std::vector<std::string>{"", "made"}));
}

TEST(Client, ADisconnectThatDoesNotFitIsSentWithoutItsProperties) {
  net::Loop loop;
  bool disconnected = false;
  ScriptedServer server{loop, [&](auto, const PacketView& packet) -> std::optional<std::string> {
                          disconnected = disconnected || is<DisconnectView>(packet);
                          return is<ConnectView>(packet) ? "20 08 00 00 05 27 00 00 00 08" : "";
                        }};
  Owner owner{loop};
  Properties expiry;
  expiry.add(PropertyId::session_expiry_interval, 0);
  owner.when_connected = [&](Client& client) { client.disconnect(ReasonCode::normal_disconnection, expiry); };
  owner.run({}, server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
  EXPECT_TRUE(disconnected);
}

/// More than the kernel holds for both ends of a connection on loopback, at QoS 0, and then the goodbye.
constexpr std::size_t flood_messages = 512, flood_message_bytes = 64 * 1024;

void publish_flood_and_leave(Client& client) {
  static const ByteVector payload(flood_message_bytes);
  const PublishView header{.topic = "t", .properties = {}, .payload = {}};
  for (std::size_t i = 0; i < flood_messages; ++i)
    EXPECT_TRUE(client.session().publish(client.loop().now(), header, SharedBytes{payload, nullptr}));
  client.disconnect();
}

TEST(Client, ItsEndWaitsForAServerThatIsSlowButTakesMore) {
  constexpr Duration step = 400ms;
  constexpr int slow_steps = 7;  // longer than a server may take nothing
  static_assert(slow_steps * step > Client::drain_timeout + step && step < Client::drain_timeout / 4);
  constexpr std::size_t slow_bytes = 2'500'000;
  net::Loop loop;
  SlowServer server{loop};
  Owner owner{loop};
  Client* leaving = nullptr;
  int steps = 0;
  net::Timer timer{loop, [&] {
                     const bool slow = ++steps < slow_steps;
                     if (!slow) {
                       EXPECT_GT(leaving->unsent(), 0u) << "the kernel took it all";
                     }
                     server.take(slow ? slow_bytes : std::numeric_limits<std::size_t>::max());
                     if (slow) timer.set(loop.now() + step);
                   }};
  owner.when_connected = [&](Client& client) {
    leaving = &client;
    publish_flood_and_leave(client);
    timer.set(loop.now() + step);
  };
  owner.run({}, server.port());
  ASSERT_TRUE(owner.ended);
  EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
  EXPECT_EQ(owner.ended->error.context, "");
  EXPECT_EQ(steps, slow_steps);
  EXPECT_EQ(server.publishes, flood_messages);
  EXPECT_EQ(server.disconnects, 1u);
}

TEST(Client, ItsEndGivesUpAServerThatTakesNothingMoreAndTriesNothingAgain) {
  net::Loop loop;
  SlowServer server{loop};
  Owner owner{loop};
  owner.when_connected = publish_flood_and_leave;
  owner.run(retrying(), server.port());
  ASSERT_TRUE(owner.ended);
  EXPECT_EQ(owner.ended->kind, Ending::Kind::connection_lost);
  EXPECT_EQ(owner.ended->error.domain, ErrorDomain::timeout);
  EXPECT_EQ(owner.ended->error.context, "the server stopped taking what was sent");
  EXPECT_EQ(server.disconnects, 0u);
  EXPECT_TRUE(owner.lost.empty());
}

TEST(Client, ASilentServerEndsAtTheConnectTimeout) {
  net::Loop loop;
  ScriptedServer server{loop, [&](auto, const PacketView&) -> std::optional<std::string> { return ""; }};
  Owner owner{loop};
  ClientOptions options;
  options.connect_timeout = 30ms;
  owner.run(options, server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::connack_timeout);
  EXPECT_FALSE(owner.ended->was_connected);
}

TEST(Client, WhatIsNoMqttKeepsItsFirstBytes) {
  net::Loop loop;
  ScriptedServer server{loop, [&](auto, const PacketView&) -> std::optional<std::string> {
                          return "'HTTP/1.1 400 Bad Request' 0d 0a 0d 0a";
                        }};
  Owner owner{loop};
  owner.run(retrying(), server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::protocol_error);
  EXPECT_EQ(owner.ended->first_bytes, "HTTP/1.1 400 Bad");
  ASSERT_TRUE(owner.ended->close.error);
  EXPECT_EQ(server.connections(), 1u);
}

TEST(Client, TheServersDisconnectKeepsReasonAndWords) {
  net::Loop loop;
  ScriptedServer server{
      loop, [&](auto, const PacketView& packet) -> std::optional<std::string> {
        return is<ConnectView>(packet) ? std::string{accept_v5} + " e0 0b 8e 09 1f 00 06 'bye-ab'" : "";
      }};
  Owner owner{loop};
  owner.when_connected = [](Client&) {};
  owner.run(retrying(), server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::peer_disconnect);
  EXPECT_EQ(owner.ended->close.code, ReasonCode::session_taken_over);
  EXPECT_EQ(owner.ended->close.reason_string, "bye-ab");
  EXPECT_EQ(server.connections(), 1u);
}

TEST(Client, DisconnectWhileWaitingToRetryEndsAtOnce) {
  net::Loop loop;
  ScriptedServer server{loop,
                        [&](auto, const PacketView&) -> std::optional<std::string> { return std::nullopt; }};
  Owner owner{loop};
  owner.when_lost = [](Client& client) { client.disconnect(); };
  ClientOptions options = retrying();
  options.reconnect.min = options.reconnect.max = 1h;
  owner.run(options, server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
  EXPECT_EQ(server.connections(), 1u);
}

}  // namespace
}  // namespace mqtt::test
