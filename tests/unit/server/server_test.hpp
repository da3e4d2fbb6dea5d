#pragma once
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <mqtt/client/client.hpp>
#include <mqtt/client/endpoint.hpp>
#include <mqtt/codec/framer.hpp>
#include <mqtt/server/server.hpp>
#include <optional>
#include <string>
#include <unit/net/net_test.hpp>
#include <vector>

namespace mqtt::server::test {

using namespace std::chrono_literals;
using net::test::run_until;

/// Can be told to fail.
class FakeStore final : public broker::Store {
 public:
  void on_retained(std::string_view, const broker::MessagePtr&) override {}
  void on_session(const broker::SessionRecord&) override {}
  void on_session_ended(broker::SubscriberId) override {}
  void on_subscribed(const broker::SubscriptionRecord&) override {}
  void on_replay_sent(broker::SubscriberId, std::string_view, std::uint64_t) override {}
  void on_replayed(broker::SubscriberId, std::string_view) override {}
  void on_unsubscribed(broker::SubscriberId, std::string_view) override {}
  void on_delivery(const broker::DeliveryRecord&) override {}
  void on_sent(broker::SubscriberId, std::uint64_t, const broker::MessagePtr&, PacketId) override {}
  void on_given_up(std::uint64_t, const broker::MessagePtr&) override {}
  void on_taken_over(broker::SubscriberId, PacketId) override {}
  void on_finished(broker::SubscriberId, PacketId) override {}
  void on_received(broker::SubscriberId, PacketId) override {}
  void on_released(broker::SubscriberId, PacketId) override {}
  Result<void> commit(TimePoint, broker::Urgency urgency) override {
    ++commits;
    if (before_commit) before_commit();
    failed = broken;
    if (broken && urgency == broker::Urgency::promised) return std::unexpected(no_room);
    return {};
  }
  const Error* fault() const override { return failed ? &no_room : nullptr; }

  const Error no_room{ErrorDomain::system, ENOSPC, "cannot write the database: no space left on device"};
  bool failed = false;
  bool broken = false;
  std::size_t commits = 0;
  std::function<void()> before_commit;
};

/// Lets everybody in and remembers who came how.
class Doorkeeper final : public broker::Authenticator {
 public:
  broker::AuthDecision authenticate(const ConnectView&, const broker::ConnectionInfo& info) override {
    infos.push_back(info);
    if (work) return broker::AuthDecision::later(work);
    return broker::AuthDecision::allowed("");
  }
  std::unique_ptr<broker::AuthExchange> begin(std::string_view, std::string_view) override { return nullptr; }

  std::vector<broker::ConnectionInfo> infos;
  std::function<broker::AuthDecision()> work;  // none: no time at all
};

struct Events final : broker::BrokerEvents, ServerEvents {
  [[nodiscard]] bool wants_messages() const override { return hears_messages; }
  void on_connected(const broker::Identity&, Version, bool) override { ++connected; }
  void on_disconnected(const broker::Identity&, const CloseInfo*) override { ++disconnected; }
  void on_turned_away(std::string_view listener, const Error& why, std::uint64_t count) override {
    turned_away.push_back(std::string{listener} + ": " + why.context);
    turned_away_count += count;
  }
  void on_store_failed(const Error& error) override { store_faults.push_back(error.context); }
  void on_store_recovered() override { ++store_recoveries; }

  bool hears_messages = false;  // true: none goes past the broker
  std::size_t connected = 0, disconnected = 0, store_recoveries = 0;
  std::uint64_t turned_away_count = 0;
  std::vector<std::string> turned_away, store_faults;
};

/// A client that says what a test wants, at once, and keeps what it hears.
class RawClient final : net::StreamHandler {
 public:
  explicit RawClient(std::unique_ptr<net::ByteStream> opened) : stream{std::move(opened)} {
    stream->set_handler(this);
  }

  void send(const PacketView& packet, Version version = Version::v5);
  void send_bytes(Bytes bytes);
  /// How many packets of a kind have come.
  [[nodiscard]] std::size_t count(PacketType type) const { return counts_[static_cast<std::size_t>(type)]; }
  /// The first packet of a type.
  template <class View>
  [[nodiscard]] std::optional<View> find() const {
    for (const auto& frame : frames)
      if (const auto packet = decode_kept(frame); packet && std::holds_alternative<View>(*packet))
        return std::get<View>(*packet);
    return std::nullopt;
  }
  /// Topics and payloads of those that were kept.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> messages() const;
  [[nodiscard]] bool over() const { return ended || error; }
  [[nodiscard]] std::size_t unsent() const { return unsent_.size(); }

  std::unique_ptr<net::ByteStream> stream;
  std::vector<std::vector<std::uint8_t>> frames;  // the first of them
  std::size_t frames_kept = 64;
  Version version = Version::v5;
  bool ended = false;
  std::optional<Error> error;

 private:
  [[nodiscard]] std::optional<PacketView> decode_kept(Bytes frame) const;
  void write();
  void on_data(Bytes bytes) override;
  void on_writable() override { write(); }
  void on_end() override { ended = true; }
  void on_error(Error what) override { error = std::move(what); }

  Framer framer_;
  std::array<std::size_t, 16> counts_{};  // by PacketType
  std::string unsent_;
};

class ServerTest : public testing::Test {
 protected:
  /// One listener: 127.0.0.1, plain TCP.
  ServerTest();
  ~ServerTest() override;

  void open();
  [[nodiscard]] broker::BrokerServices services() { return {doorkeeper, access, store, events}; }
  /// A transport, and nothing said on it.
  [[nodiscard]] std::unique_ptr<RawClient> dial(std::size_t url = 0);
  /// With CONNACK.
  [[nodiscard]] std::unique_ptr<RawClient> connect(std::string_view id, std::size_t url = 0,
                                                   Version version = Version::v5);
  /// With SUBACK.
  void subscribe(RawClient& client, std::string_view filter, QoS qos = QoS::at_most_once);
  [[nodiscard]] net::StreamTarget target(std::size_t url = 0) const;
  template <class Done>
  [[nodiscard]] bool wait(Done done) {
    return run_until(loop, done);
  }
  void destroy_server() { server.reset(); }
  [[nodiscard]] std::size_t connections() const { return server->counters().connections; }

  net::Loop loop;
  Doorkeeper doorkeeper;
  broker::AllowEverything access;
  FakeStore store;
  Events events;
  ServerConfig config;
  std::shared_ptr<const net::TlsContext> client_tls;
  std::unique_ptr<Server> server;
};

[[nodiscard]] ConnectView connect_packet(std::string_view id, Version version = Version::v5);
[[nodiscard]] PublishView message(std::string_view topic, std::string_view payload,
                                  QoS qos = QoS::at_most_once);

}  // namespace mqtt::server::test
