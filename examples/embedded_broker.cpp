// A program with a broker inside, and a client of libmqtt that subscribes and publishes through it.
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <mqtt/client/client.hpp>
#include <mqtt/client/endpoint.hpp>
#include <mqtt/server/embedded_broker.hpp>

namespace {

/// Sends itself a greeting, and leaves.
class Greeter final : public mqtt::ClientHandler {
 public:
  /// Whether the greeting came back.
  bool greet(const mqtt::Endpoint& broker) {
    mqtt::ClientOptions options;
    options.target.hosts = {{broker.host, broker.port}};
    mqtt::Client client{loop_, std::move(options), *this};
    client_ = &client;
    client.start();
    loop_.run();  // until the client has nothing left to do
    return greeted_;
  }

 private:
  void on_connack(const mqtt::ConnackView& answer) override {
    if (mqtt::is_error(answer.reason)) return;  // on_ended() follows
    mqtt::SubscriptionList topics;
    topics.add("greeting", {.qos = mqtt::QoS::at_least_once});
    (void)client_->session().subscribe(loop_.now(), topics.view());
  }

  void on_subscribed(mqtt::PacketId, const mqtt::SubackView&) override {
    mqtt::PublishView message;
    message.topic = "greeting";
    message.qos = mqtt::QoS::at_least_once;
    (void)client_->session().publish(loop_.now(), message, mqtt::SharedBytes::take("hello"));
  }

  void on_message(const mqtt::PublishView& message, mqtt::AckToken) override {
    const std::string_view text = mqtt::as_text(message.payload);
    std::printf("greeting: %.*s\n", static_cast<int>(text.size()), text.data());
    greeted_ = text == "hello";
    client_->disconnect();
  }

  void on_published(mqtt::PacketId, mqtt::ReasonCode, mqtt::PropertiesView) override {}

  void on_ended(const mqtt::Ending& ending) override {
    if (!ending.error.context.empty()) std::fprintf(stderr, "%s\n", ending.error.context.c_str());
  }

  mqtt::net::Loop loop_;
  mqtt::Client* client_ = nullptr;  // while greet() runs
  bool greeted_ = false;
};

}  // namespace

int main() {
  const auto broker = mqtt::server::EmbeddedBroker::start();  // on loopback, a free port
  if (!broker) {
    std::fprintf(stderr, "no broker: %s\n", broker.error().context.c_str());
    return 1;
  }
  const std::string& url = (*broker)->urls().front();
  std::printf("a broker at %s\n", url.c_str());
  return Greeter{}.greet(*mqtt::parse_endpoint(url)) ? 0 : 1;
}  // the broker says goodbye to its clients and ends
