// Clients that take what they are sent slowly, or not at all.
#include <support/packets.hpp>
#include <unit/server/server_test.hpp>

namespace mqtt::server::test {
namespace {

class SlowLine : public ServerTest {};

TEST_F(SlowLine, ARetainedMessageBehindManyThatDoNotMatchComesWithoutAWordFromTheClient) {
  open();
  const auto publisher = connect("publisher");
  for (int i = 0; i < 50'000; ++i) {
    PublishView publish = message("a/" + std::to_string(i), "x");
    publish.retain = true;
    publisher->send(publish);
  }
  PublishView last = message("a/last/x", "x");
  last.retain = true;
  publisher->send(last);
  publisher->send(PingreqView{});
  ASSERT_TRUE(wait([&] { return publisher->count(PacketType::pingresp) == 1; }));
  const auto client = connect("client");
  subscribe(*client, "+/+/x");
  EXPECT_TRUE(wait([&] { return client->count(PacketType::publish) == 1; }));
}

}  // namespace
}  // namespace mqtt::server::test
