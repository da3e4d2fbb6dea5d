#include <thread>
#include <unit/server/server_test.hpp>

namespace mqtt::server::test {
namespace {

using Logins = ServerTest;

TEST_F(Logins, AreCheckedBesideTheLoop) {
  open();
  doorkeeper.work = [here = std::this_thread::get_id()] {
    const bool elsewhere = std::this_thread::get_id() != here;
    return elsewhere ? broker::AuthDecision::allowed("joe")
                     : broker::AuthDecision::refused(ReasonCode::not_authorized);
  };
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(dial());
    clients.back()->send(connect_packet("client " + std::to_string(i)));
    clients.back()->send(message("t", "behind it", QoS::at_least_once));
  }
  for (std::size_t i = 0; i < clients.size(); i += 3) clients[i].reset();  // it does not wait for the answer
  for (const auto& client : clients) {
    if (!client) continue;
    ASSERT_TRUE(wait([&] { return client->count(PacketType::puback) == 1; }));
    EXPECT_EQ(client->find<ConnackView>()->reason, ReasonCode::success);
  }
}

TEST_F(Logins, ThatAreStillBeingCheckedDoNotKeepTheServerUp) {
  open();
  doorkeeper.work = [] { return broker::AuthDecision::allowed("joe"); };
  const auto client = dial();
  client->send(connect_packet("client"));
  ASSERT_TRUE(wait([&] { return !doorkeeper.infos.empty(); }));
  destroy_server();
  EXPECT_TRUE(wait([&] { return client->over(); }));
}

}  // namespace
}  // namespace mqtt::server::test
