#pragma once
#include <cerrno>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mqtt/broker/broker.hpp>
#include <mqtt/codec/framer.hpp>

#include <support/server_watch.hpp>

// A Broker with fake time and services, and clients on the other end of transports in memory. What the
// transports do is what the server does: bytes leave after commit(), only where the broker has said that
// there is something to do.

namespace mqtt::test {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

broker::BrokerConfig with_limits(auto change) {
  broker::BrokerConfig config;
  change(config.limits);
  return config;
}

/// Of a client whose session stays for a minute.
inline constexpr std::string_view kept = "session_expiry_interval=60";

/// "bad" as a user name is refused; the password of "slow" takes its time, and is "right"; the method
/// "rounds" asks for "two" after any first data, and is good for a minute.
class FakeAuthenticator final : public broker::Authenticator {
 public:
  broker::AuthDecision authenticate(const ConnectView& connect, const broker::ConnectionInfo& info) override;
  std::unique_ptr<broker::AuthExchange> begin(std::string_view method, std::string_view client_id) override;
};

/// Refuses what is listed. Publishing and receiving by topic, subscribing by filter.
class FakeAccess final : public broker::AccessControl {
 public:
  std::optional<ReasonCode> find_publish_fault(const broker::Identity&, std::string_view topic) override {
    if (!publish.contains(std::string{topic})) return std::nullopt;
    return ReasonCode::not_authorized;
  }
  std::optional<ReasonCode> find_subscribe_fault(const broker::Identity&, std::string_view filter) override {
    if (!subscribe.contains(std::string{filter})) return std::nullopt;
    return ReasonCode::not_authorized;
  }
  bool may_receive(const broker::Identity&, std::string_view topic) override {
    return !receive.contains(std::string{topic});
  }

  std::set<std::string> publish, subscribe, receive;
};

/// One line for each call.
class RecordingStore final : public broker::Store {
 public:
  void on_retained(std::string_view topic, const broker::MessagePtr& message) override;
  void on_session(const broker::SessionRecord& session) override;
  void on_session_ended(broker::SubscriberId session) override;
  void on_subscribed(const broker::SubscriptionRecord& record) override;
  void on_replay_sent(broker::SubscriberId session, std::string_view filter, std::uint64_t message) override;
  void on_replayed(broker::SubscriberId session, std::string_view filter) override;
  void on_unsubscribed(broker::SubscriberId session, std::string_view filter) override;
  void on_delivery(const broker::DeliveryRecord& delivery) override;
  void on_sent(broker::SubscriberId session, std::uint64_t row, const broker::MessagePtr&,
               PacketId id) override;
  void on_given_up(std::uint64_t row, const broker::MessagePtr&) override;
  void on_taken_over(broker::SubscriberId session, PacketId id) override;
  void on_finished(broker::SubscriberId session, PacketId id) override;
  void on_received(broker::SubscriberId session, PacketId id) override;
  void on_released(broker::SubscriberId session, PacketId id) override;
  Result<void> commit(TimePoint, broker::Urgency urgency) override;
  const Error* fault() const override { return broken ? &no_room : nullptr; }
  /// Since the last call.
  std::vector<std::string> take() { return std::exchange(calls, {}); }

  std::vector<std::string> calls;  // "commit" only after others, "commit!" if something was promised
  bool broken = false;
  Error no_room{ErrorDomain::system, ENOSPC, "no space left on device"};

 private:
  std::map<broker::SubscriberId, std::string> names_;
};

class RecordingEvents final : public broker::BrokerEvents {
 public:
  void on_connected(const broker::Identity& who, Version, bool session_present) override;
  void on_refused(const broker::ConnectionInfo&, const CloseInfo& info) override;
  void on_disconnected(const broker::Identity& who, const CloseInfo* info) override;
  void on_session_ended(std::string_view client_id) override;
  void on_dropped(std::string_view client_id, broker::DropReason reason, std::uint64_t count) override;
  bool wants_messages() const override { return hears_messages; }

  std::vector<std::string> lines;
  bool hears_messages = false;
};

class Peer;

/// The broker's end of a transport.
struct Transport final : broker::ConnectionOwner {
  void on_ready() override {
    EXPECT_FALSE(announced) << "on_ready() before serviced()";
    announced = enlisted = true;
  }

  broker::Connection* connection = nullptr;
  bool announced = false;
  bool enlisted = false;
  bool paused = false;
};

struct Rig {
  /// With its own `store`, which records what it is told.
  explicit Rig(broker::BrokerConfig config = {}, std::uint64_t seed = 1);
  /// With another one, which has to outlive it.
  Rig(broker::BrokerConfig config, std::uint64_t seed, broker::Store& other);

  /// The broker ends without a word, and one with this store takes its place.
  void restart(broker::Store& successors);

  /// Moves bytes until nothing moves any more.
  void run();
  /// Lets time pass, with on_time() exactly at each deadline.
  void advance(Duration duration);
  [[nodiscard]] const broker::Counters& counters() const { return broker.counters(); }
  [[nodiscard]] std::uint64_t dropped(broker::DropReason reason) const {
    return broker.counters().dropped_for(reason);
  }
  [[nodiscard]] std::uint64_t dropped() const;

  ChunkPool pool;
  FakeAuthenticator authenticator;
  FakeAccess access;
  RecordingStore store;
  RecordingEvents events;
  TimePoint now{};
  const broker::BrokerConfig config;
  const std::uint64_t seed;
  broker::Broker broker;
  bool checks_logins = true;  ///< those that are put off; else they wait
  std::vector<Peer*> peers;
  std::vector<std::unique_ptr<Transport>> abandoned;  // nobody is at their other end

 private:
  bool close_abandoned();
  bool check_logins();
};

/// A client's end of a transport. What to_broker() holds is sent as the broker wants it.
class Peer {
 public:
  explicit Peer(Rig& rig);
  virtual ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void open();
  /// The transport breaks: what is under way is lost.
  void cut();
  /// The same, but the broker does not notice: its end stays open and is neither read nor written.
  void vanish();
  /// The broker is gone already.
  void lose();
  [[nodiscard]] bool is_open() const { return transport_ != nullptr; }
  [[nodiscard]] broker::Connection& connection() { return *transport_->connection; }
  /// While it does not read, what the broker writes stays in the broker.
  void read(bool reads);
  /// One turn; false: nothing moved.
  bool step();

  /// At most so many bytes at once, both ways.
  std::size_t chunk_max = 64 * 1024;
  /// Where the broker sees it.
  std::string address = "test:1";

 protected:
  [[nodiscard]] Rig& rig() { return rig_; }
  /// Takes up to `size` bytes out of what the client has to send.
  virtual std::string take_output(std::size_t size) = 0;
  virtual void on_bytes(Bytes bytes) = 0;
  /// The broker has closed the transport, or cut() was called.
  virtual void on_closed() {}

 private:
  bool send_some();
  bool settle();
  bool write_some();

  Rig& rig_;
  std::unique_ptr<Transport> transport_;
  bool reads_ = true;
};

/// A client that says and hears packets as lines of text (session/packet_text.hpp).
class Client : public Peer {
 public:
  explicit Client(Rig& rig, Version version = Version::v5) : Peer{rig}, version_{version} {}

  /// Opens a new transport and sends CONNECT with these fields.
  void connect(std::string_view fields);
  /// connect(), and takes the CONNACK, which must be good.
  void enter(std::string_view fields);
  /// Sends one packet and lets everything run.
  void send(std::string_view line);
  /// Without run().
  void queue(std::string_view line);
  void send_bytes(std::string bytes);
  /// Subscribes, and takes the SUBACK away.
  void subscribe(std::string_view filter_and_options, std::string_view properties = "");
  /// What came since the last call.
  std::vector<std::string> take();
  /// The same without what only belongs to message flows: PUBACK, PUBREC, PUBREL, PUBCOMP.
  std::vector<std::string> take_messages();
  [[nodiscard]] std::size_t count(std::string_view prefix) const;

  bool acknowledges = true;  ///< PUBLISH and PUBREL are answered at once

 private:
  std::string take_output(std::size_t size) override;
  void on_bytes(Bytes bytes) override;
  void on_closed() override;
  void answer(const PacketView& packet);
  void queue(const PacketView& packet);

  Version version_;
  std::string output_;
  Framer framer_;
  ServerWatch watch_;
  std::vector<std::string> received_;
};

}  // namespace mqtt::test
