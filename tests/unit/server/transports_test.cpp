// The same conversation over each transport.
#include <unit/net/certificates.hpp>
#include <unit/server/server_test.hpp>

namespace mqtt::server::test {
namespace {

class Transports : public ServerTest {
 protected:
  net::ListenOptions& listen() { return config.listeners[0].listen; }
  void use_tls(net::ClientCertificates certificates = net::ClientCertificates::none) {
    net::TlsOptions options = net::test::server_options(authority.issue());
    options.ca_file = authority.ca_file();
    options.client_certificates = certificates;
    listen().tls = *net::TlsContext::server(options);
    client_tls = *net::TlsContext::client(net::test::client_options(authority));
  }
  void use_websocket() { listen().ws = net::WsServerOptions{.path = "/mqtt", .subprotocols = {"mqtt"}}; }

  void converse() {
    open();
    const auto client = connect("talker");
    ASSERT_TRUE(client);
    subscribe(*client, "t/#", QoS::at_least_once);
    const std::string payload(100'000, 'x');  // more than a TLS record, or one read
    client->send(message("t/1", payload, QoS::at_least_once));
    ASSERT_TRUE(wait([&] { return client->count(PacketType::publish) == 1; }));
    EXPECT_EQ(as_text(client->find<PublishView>()->payload), payload);
    EXPECT_TRUE(wait([&] { return client->count(PacketType::puback) == 1; }));
    client->send(DisconnectView{});
    EXPECT_TRUE(wait([&] { return client->ended; }));
    client->stream->close();
    EXPECT_TRUE(wait([&] { return connections() == 0; }));
  }

  net::test::Authority authority;
};

TEST_F(Transports, Tcp) {
  converse();
  EXPECT_TRUE(server->urls().at(0).starts_with("mqtt://127.0.0.1:")) << server->urls()[0];
  EXPECT_EQ(doorkeeper.infos.at(0).listener, "main");
  EXPECT_TRUE(doorkeeper.infos.at(0).address.starts_with("127.0.0.1:"));
}

TEST_F(Transports, UnixSocket) {
  listen().unix_path = authority.directory().file("mqtt.sock");
  converse();
  EXPECT_EQ(server->urls().at(0), "unix://" + listen().unix_path);
}

TEST_F(Transports, Tls) {
  use_tls();
  converse();
  EXPECT_TRUE(server->urls().at(0).starts_with("mqtts://127.0.0.1:"));
  EXPECT_EQ(doorkeeper.infos.at(0).certificate_common_name, "");
}

TEST_F(Transports, WebSocket) {
  use_websocket();
  converse();
  EXPECT_TRUE(server->urls().at(0).starts_with("ws://127.0.0.1:"));
  EXPECT_TRUE(server->urls().at(0).ends_with("/mqtt"));
}

TEST_F(Transports, WebSocketOverTls) {
  use_tls();
  use_websocket();
  converse();
  EXPECT_TRUE(server->urls().at(0).starts_with("wss://127.0.0.1:"));
}

TEST_F(Transports, TheBrokerHearsTheNameInAClientCertificate) {
  use_tls(net::ClientCertificates::required);
  net::TlsOptions options = net::test::client_options(authority);
  net::test::CertificateWishes wishes;
  wishes.common_name = "sensor-7";
  const auto files = authority.issue(wishes);
  options.certificate_file = files.certificate;
  options.key_file = files.key;
  client_tls = *net::TlsContext::client(options);
  converse();
  EXPECT_EQ(doorkeeper.infos.at(0).certificate_common_name, "sensor-7");
}

TEST_F(Transports, BehindAProxyTheClientsAddressIsTheOneThatTheProxyTells) {
  listen().proxy_protocol = net::ProxyProtocol::required;
  open();
  const auto client = dial();
  ASSERT_TRUE(client);
  client->send_bytes(as_bytes("PROXY TCP4 192.0.2.7 192.0.2.1 50000 1883\r\n"));
  client->send(connect_packet("far"));
  ASSERT_TRUE(wait([&] { return client->count(PacketType::connack) == 1; }));
  EXPECT_EQ(doorkeeper.infos.at(0).address, "192.0.2.7:50000");
}

TEST_F(Transports, AFailedHandshakeIsToldAndCounted) {
  use_tls();
  open();
  net::StreamTarget plain = target();
  plain.tls = nullptr;
  auto stream = net::test::open_now(loop, plain);
  ASSERT_TRUE(stream);
  RawClient client{std::move(*stream)};
  client.send(connect_packet("plain"));
  EXPECT_TRUE(wait([&] { return client.over(); }));
  EXPECT_TRUE(wait([&] { return server->counters().failed == 1U; }));
  EXPECT_EQ(server->counters().accepted, 0U);
  ASSERT_EQ(events.turned_away.size(), 1U);
  EXPECT_TRUE(events.turned_away[0].starts_with("main: ")) << events.turned_away[0];
}

/// Subscribes, sends itself a message and ends.
class PingPong final : public ClientHandler {
 public:
  PingPong(net::Loop& loop, ClientOptions options) : client_{loop, std::move(options), *this} {
    client_.start();
  }

  std::size_t messages = 0;
  std::optional<Ending> end;

 private:
  void on_connack(const ConnackView&) override {
    SubscriptionList list;
    list.add("loop", {.qos = QoS::exactly_once});
    EXPECT_TRUE(client_.session().subscribe(client_.loop().now(), list.view()));
  }
  void on_subscribed(PacketId, const SubackView&) override {
    EXPECT_TRUE(
        client_.session().publish(client_.loop().now(), {.qos = QoS::exactly_once, .topic = "loop"}, {}));
  }
  void on_message(const PublishView&, AckToken) override { ++messages; }
  void on_published(PacketId, ReasonCode, PropertiesView) override { client_.disconnect(); }
  void on_ended(const Ending& ending) override { end = ending; }

  Client client_;
};

TEST_F(Transports, OurOwnClientGoesThroughQos2AndEndsCleanlyInEachVersion) {
  open();
  for (const Version version : {Version::v3_1, Version::v3_1_1, Version::v5}) {
    ClientOptions options;
    options.target = target();
    options.connect.version = version;
    options.connect.client_id = "own";
    PingPong client{loop, std::move(options)};
    ASSERT_TRUE(wait([&] { return client.end.has_value(); }));
    EXPECT_EQ(client.end->kind, Ending::Kind::finished) << client.end->error.context;
    EXPECT_EQ(client.messages, 1U);
  }
}

}  // namespace
}  // namespace mqtt::server::test
