#include <gtest/gtest.h>

#include <mqtt/client/client.hpp>

#include "scripted_server.hpp"

namespace mqtt::test {
namespace {

/// What a server sees of a client that publishes one message at QoS 1, loses the connection by `how` before
/// the acknowledgement, and leaves after it.
struct Seen {
  std::vector<std::size_t> connects;
  std::vector<bool> dups;
  std::vector<Ending::Kind> lost;
  Duration away{};  // from the loss to the next CONNECT
};

Seen run_broken(Breakage how, Duration away) {
  net::Loop loop;
  Seen seen;
  Client* publishing = nullptr;
  TimePoint broken_at{};
  net::Timer breaking{loop, [&] {
                        broken_at = loop.refresh_now();
                        publishing->break_connection(how, away);
                      }};
  ScriptedServer server{loop, [&](auto connection, const PacketView& packet) -> std::optional<std::string> {
                          if (is<ConnectView>(packet)) {
                            seen.connects.push_back(connection);
                            if (connection == 1) seen.away = loop.refresh_now() - broken_at;
                            return std::string{connection == 0 ? accept_v5 : accept_v5_resumed};
                          }
                          const auto* publish = std::get_if<PublishView>(&packet);
                          if (!publish) return "";
                          seen.dups.push_back(publish->dup);
                          if (connection == 0) breaking.set(loop.now());
                          return connection == 0 ? "" : "40 02 00 01";
                        }};
  Owner owner{loop};
  owner.when_connected = [&](Client& client) {
    publishing = &client;
    if (owner.connected > 1) return;
    const PublishView header{.qos = QoS::at_least_once, .topic = "t", .properties = {}, .payload = {}};
    EXPECT_TRUE(client.session().publish(client.loop().now(), header, SharedBytes{as_bytes("x"), nullptr}));
    client.flush();
  };
  ClientOptions options = retrying();
  options.connect.properties.add(PropertyId::session_expiry_interval, 300);
  owner.run(options, server.port());
  EXPECT_EQ(owner.ended->kind, Ending::Kind::finished);
  for (const Ending& each : owner.lost) seen.lost.push_back(each.kind);
  return seen;
}

TEST(BreakConnection, IsALossAfterWhichTheSessionGoesOn) {
  for (const Breakage how : {Breakage::reset, Breakage::half_close}) {
    const Seen seen = run_broken(how, 0ms);
    EXPECT_EQ(seen.connects, (std::vector<std::size_t>{0, 1}));
    EXPECT_EQ(seen.dups, (std::vector{false, true}));
    EXPECT_EQ(seen.lost, (std::vector{Ending::Kind::connection_lost}));
  }
}

TEST(BreakConnection, StaysAwayForAsLongAsIsAsked) {
  EXPECT_GE(run_broken(Breakage::reset, 50ms).away, 50ms);
}

TEST(BreakConnection, WithoutAConnectionDoesNothing) {
  net::Loop loop;
  ScriptedServer server{loop, [](auto, const PacketView&) { return std::optional<std::string>{accept_v5}; }};
  Owner owner{loop};
  ClientOptions options = retrying();
  options.target.hosts = {{"127.0.0.1", server.port()}};
  Client client{loop, options, owner};
  client.break_connection(Breakage::reset);
  EXPECT_TRUE(owner.lost.empty());
}

}  // namespace
}  // namespace mqtt::test
