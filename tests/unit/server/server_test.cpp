#include <unit/server/server_test.hpp>

#include <cstdlib>
#include <string>
#include <support/packets.hpp>
#include <utility>

namespace mqtt::server::test {

void RawClient::send(const PacketView& packet, Version spoken) {
  if (std::holds_alternative<ConnectView>(packet)) version = spoken;
  send_bytes(mqtt::test::encoded(packet, version));
}

void RawClient::send_bytes(Bytes bytes) {
  unsent_ += as_text(bytes);
  write();
}

void RawClient::write() {
  if (unsent_.empty()) return;
  const auto taken = net::test::write_text(*stream, unsent_);
  if (taken) unsent_.erase(0, *taken);
}

void RawClient::on_data(Bytes bytes) {
  while (true) {
    const auto frame = framer_.next(bytes);
    ASSERT_TRUE(frame) << frame.error().what;
    if (!*frame) return;
    ++counts_[(*frame)->type()];
    if (frames.size() < frames_kept) frames.emplace_back((*frame)->bytes.begin(), (*frame)->bytes.end());
  }
}

std::vector<std::pair<std::string, std::string>> RawClient::messages() const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& frame : frames)
    if (const auto packet = decode_kept(frame); packet && std::holds_alternative<PublishView>(*packet)) {
      const auto& publish = std::get<PublishView>(*packet);
      found.emplace_back(publish.topic, as_text(publish.payload));
    }
  return found;
}

std::optional<PacketView> RawClient::decode_kept(Bytes frame) const {
  auto packet = decode(mqtt::test::frame_of(frame), {version, Sender::server});
  if (packet) return *packet;
  ADD_FAILURE() << packet.error().what;
  return std::nullopt;
}

ServerTest::ServerTest() {
  // ctest runs all of them with several threads, too.
  if (const char* const threads = std::getenv("MQ_BROKER_THREADS")) config.threads = std::stoul(threads);
  config.listeners.resize(1);
  config.listeners[0].name = "main";
  config.listeners[0].addresses = {"127.0.0.1"};
}

ServerTest::~ServerTest() { server.reset(); }

void ServerTest::open() {
  auto opened = Server::open(loop, config, services(), events, 42);
  ASSERT_TRUE(opened) << opened.error().context;
  server = std::move(*opened);
}

net::StreamTarget ServerTest::target(std::size_t url) const {
  const auto endpoint = parse_endpoint(server->urls().at(url));
  net::StreamTarget target;
  if (!endpoint) return target;
  if (endpoint->transport == Transport::unix_socket)
    target.unix_path = endpoint->path;
  else
    target.hosts = {{endpoint->host, endpoint->port}};
  if (uses_tls(endpoint->transport)) target.tls = client_tls;
  if (!uses_websocket(endpoint->transport)) return target;
  target.ws.emplace();
  target.ws->path = endpoint->path;
  target.ws->subprotocols = {"mqtt"};
  return target;
}

std::unique_ptr<RawClient> ServerTest::dial(std::size_t url) {
  auto stream = net::test::open_now(loop, target(url));
  if (stream) return std::make_unique<RawClient>(std::move(*stream));
  ADD_FAILURE() << stream.error().context;
  return nullptr;
}

std::unique_ptr<RawClient> ServerTest::connect(std::string_view id, std::size_t url, Version version) {
  auto client = dial(url);
  if (!client) return nullptr;
  client->send(connect_packet(id, version), version);
  EXPECT_TRUE(wait([&] { return client->count(PacketType::connack) == 1; }));
  return client;
}

void ServerTest::subscribe(RawClient& client, std::string_view filter, QoS qos) {
  SubscriptionList list;
  list.add(filter, {.qos = qos});
  client.send(SubscribeView{.packet_id = 1, .subscriptions = list.view()});
  EXPECT_TRUE(wait([&] { return client.count(PacketType::suback) == 1; }));
}

ConnectView connect_packet(std::string_view id, Version version) {
  ConnectView connect;
  connect.version = version;
  connect.client_id = id;
  return connect;
}

PublishView message(std::string_view topic, std::string_view payload, QoS qos) {
  PublishView publish;
  publish.qos = qos;
  publish.topic = topic;
  publish.packet_id = qos == QoS::at_most_once ? PacketId{0} : PacketId{1};
  publish.payload = as_bytes(payload);
  return publish;
}

}  // namespace mqtt::server::test
