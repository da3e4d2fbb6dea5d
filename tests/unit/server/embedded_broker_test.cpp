// A broker in a thread of its own: it serves, listens to what it is given, and says goodbye.
#include <mqtt/server/embedded_broker.hpp>

#include <string>
#include <thread>
#include <unit/server/server_test.hpp>

namespace mqtt::server::test {
namespace {

class EmbeddedBrokerTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<RawClient> connect(const EmbeddedBroker& broker, std::string_view id) {
    const auto endpoint = parse_endpoint(broker.urls().front());
    net::StreamTarget target;
    target.hosts = {{endpoint->host, endpoint->port}};
    auto stream = net::test::open_now(loop, target);
    if (!stream) return nullptr;
    auto client = std::make_unique<RawClient>(std::move(*stream));
    client->send(connect_packet(id));
    EXPECT_TRUE(net::test::run_until(loop, [&] { return client->count(PacketType::connack) > 0; }));
    return client;
  }

  net::Loop loop;
};

class EmbeddedBrokerThreads : public EmbeddedBrokerTest, public testing::WithParamInterface<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Broker, EmbeddedBrokerThreads, testing::Values(1, 3));

TEST_P(EmbeddedBrokerThreads, TellsItsClientsWhenItEnds) {
  ServerConfig config = loopback_config();
  config.threads = GetParam();
  auto broker = EmbeddedBroker::start(std::move(config));
  ASSERT_TRUE(broker) << broker.error().context;
  const auto client = connect(**broker, "c");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->find<ConnackView>()->reason, ReasonCode::success);
  std::thread end{
      [&] { broker->reset(); }};  // it waits for the client's end, which this thread has to see to
  EXPECT_TRUE(net::test::run_until(loop, [&] { return client->over(); }));
  ASSERT_TRUE(client->find<DisconnectView>());
  EXPECT_EQ(client->find<DisconnectView>()->reason, ReasonCode::server_shutting_down);
  client->stream.reset();
  end.join();
}

TEST_F(EmbeddedBrokerTest, AsksWhoIsGivenToItWhoMayComeIn) {
  class Nobody final : public broker::Authenticator {
   public:
    broker::AuthDecision authenticate(const ConnectView&, const broker::ConnectionInfo&) override {
      return broker::AuthDecision::refused(ReasonCode::banned);
    }
    std::unique_ptr<broker::AuthExchange> begin(std::string_view, std::string_view) override {
      return nullptr;
    }
  };
  Nobody nobody;
  broker::AllowEverything access;
  broker::NoStore store;
  Events events;
  const auto broker = EmbeddedBroker::start(loopback_config(), {nobody, access, store, events}, events);
  ASSERT_TRUE(broker) << broker.error().context;
  const auto client = connect(**broker, "c");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->find<ConnackView>()->reason, ReasonCode::banned);
}

TEST_F(EmbeddedBrokerTest, SaysWhereItCannotListen) {
  const auto first = EmbeddedBroker::start();
  ASSERT_TRUE(first) << first.error().context;
  const auto taken = parse_endpoint((*first)->urls().front());
  const auto second = EmbeddedBroker::start(loopback_config(taken->port));
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().context.find(std::to_string(taken->port)), std::string::npos)
      << second.error().context;
}

}  // namespace
}  // namespace mqtt::server::test
