#pragma once
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include <mqtt/client/client.hpp>
#include <mqtt/session/id_table.hpp>
#include <mqtt/util/rare.hpp>

#include "mqbench/inbox.hpp"
#include "mqbench/measurements.hpp"
#include "mqbench/payload_maker.hpp"
#include "mqbench/plan.hpp"
#include "mqbench/schedule.hpp"
#include "mqbench/second_recorder.hpp"
#include "mqbench/seen_messages.hpp"
#include "mqbench/stamp.hpp"

namespace mq::bench {

/// What is the same for many: all but who and from where.
struct ClientKinds {
  using Options = std::shared_ptr<const mqtt::ClientOptions>;
  Options publisher;
  Options subscriber;
  Options returning;  ///< a subscriber that takes up its session, and ends it
};

/// What the clients of one worker share.
struct Surroundings {
  mqtt::net::Loop& loop;
  const Plan& plan;
  Measurements& measurements;
  SecondRecorder& seconds;
  std::vector<ClientKinds> kinds;  ///< of each broker
  PayloadMaker payloads;
  SeenMessages seen;        ///< by the members of a shared subscription
  mqtt::TimePoint start{};  ///< the common one; set before the first message
  /// To the clock of stamps, which all machines of a run share.
  mqtt::Duration clock_offset{};
  std::uint64_t batch = 0;  ///< counts the turns in which messages are sent
  /// Clients that reconnect have left sessions to the broker, which are to end with them.
  bool keeps_sessions = false;
};

/// Who is told of a client.
class ClientOwner {
 public:
  /// Connected, and subscribed if that is its task.
  virtual void on_ready() = 0;
  /// It has refused our filter, with this code.
  virtual void on_filter_refused(const std::string& filter, mqtt::ReasonCode code) = 0;
  /// Our own session refuses to send it: the server has said that it would not take it.
  virtual void on_cannot_publish(const std::string& topic, const mqtt::Error& error) = 0;
  /// There is room for messages again, after a publish() that found none.
  virtual void on_room(std::uint32_t publisher) = 0;
  /// For whatever reason; `asked_for` if it was leave().
  virtual void on_gone(const mqtt::Ending& ending, std::uint32_t client, bool asked_for) = 0;
  /// Its connection broke, which nobody has asked for. on_back() or on_gone() follows.
  virtual void on_away(const mqtt::Ending& ending) = 0;
  /// This is why it will try again, now that it is away or in vain has tried to come back.
  virtual void on_still_away(const mqtt::Ending& ending, std::uint32_t client) = 0;
  virtual void on_back() = 0;

 protected:
  ~ClientOwner() = default;
};

/// A few words that are the same for all that ended so: what failures are counted by.
[[nodiscard]] std::string why(const mqtt::Ending& ending);

/// One connection. Destroy it before the loop, and not from inside a callback. There are many, and most of
/// the time most are idle: what they share stands in Surroundings, what can be told from the number is not
/// kept.
class BenchClient : public mqtt::ClientHandler {
 public:
  virtual ~BenchClient() = default;
  BenchClient(const BenchClient&) = delete;
  BenchClient& operator=(const BenchClient&) = delete;

  void connect();
  void leave();

  [[nodiscard]] mqtt::Client& client() { return client_; }
  /// Among all clients of the run.
  [[nodiscard]] std::uint32_t number_of_all() const { return number_; }
  /// It was connected, or has tried, and that is over.
  [[nodiscard]] bool gone() const { return gone_; }

 protected:
  BenchClient(Surroundings& around, ClientOwner& owner, ClientKinds::Options options, std::uint32_t number);

  void on_message(const mqtt::PublishView&, mqtt::AckToken) override {}
  void on_published(mqtt::PacketId, mqtt::ReasonCode, mqtt::PropertiesView) override {}
  void on_connack(const mqtt::ConnackView& connack) override;
  void on_lost(const mqtt::Ending& ending, mqtt::Duration delay) override;
  void on_ended(const mqtt::Ending& ending) override;
  /// CONNACK has accepted it.
  virtual void on_accepted() = 0;
  /// Connected, it has nothing to measure of that any more.
  void arrived();
  void ready();
  /// It was ready, and its connection has broken.
  [[nodiscard]] bool away() const { return away_; }
  /// A step on the way has begun now; since when was the one before it under way?
  mqtt::Duration next_step();
  /// What its DISCONNECT says.
  [[nodiscard]] virtual mqtt::PropertiesView farewell() const;
  /// Another connection begins now.
  void restart_clock() { connecting_.make().began = around_.loop.refresh_now(); }
  /// What ends it is our own doing.
  void go() { leaving_ = true; }
  void on_connecting(mqtt::ConnectOptions& connect) override;

  Surroundings& around_;
  ClientOwner& owner_;
  mqtt::Client client_;

 private:
  struct Connecting {
    mqtt::TimePoint began{};
    mqtt::TimePoint step_began{};
    std::uint32_t in_vain = 0;  // attempts to come back
    std::unique_ptr<mqtt::AuthMechanism> mechanism;
  };

  void on_opening(mqtt::net::StreamTarget& target) override;
  void on_step(mqtt::net::OpenStep step) override;
  void take_mechanism();
  void add_other_nodes(mqtt::net::StreamTarget& target) const;
  void go_away(const mqtt::Ending& ending);

  std::uint32_t number_;
  bool present_ = false;  // from connect() to its end
  bool gone_ = false;
  bool leaving_ = false;
  bool away_ = false;
  mqtt::Rare<Connecting> connecting_;  // until it is ready
};

class BenchPublisher : public BenchClient {
 public:
  BenchPublisher(Surroundings& around, ClientOwner& owner, std::uint32_t number);

  /// Whether a message can go to the kernel in this batch. If not, the owner hears when it can.
  [[nodiscard]] bool find_room();
  /// After find_room(). Open loop: `due` is Schedule::next(), which advances. Closed loop: a message is due
  /// when it is sent, which is what the clock has said last.
  virtual void publish(mqtt::TimePoint due);

  /// Among the publishers.
  [[nodiscard]] std::uint32_t number() const { return number_of_all() - around_.plan.scenario.subscribers; }
  /// When the next message is due, from the start on.
  [[nodiscard]] mqtt::Duration next() const { return schedule_.next(); }
  /// It has no more to send: the count is reached, or the next is not due in the run any more.
  [[nodiscard]] bool done() const;
  /// Of a stream of its own: messages that the server has not refused.
  [[nodiscard]] std::uint64_t deliverable_of(std::uint32_t stream) const;
  /// Deliveries of all that it has sent and the server has not refused.
  [[nodiscard]] std::uint64_t expected() const { return expected_; }
  [[nodiscard]] virtual std::size_t in_flight() const { return in_flight_->size(); }
  /// What was expected and has come, as far as it comes to this client.
  [[nodiscard]] virtual std::uint64_t complete() const { return 0; }
  /// And what has not, when each stream had so many messages.
  [[nodiscard]] virtual std::uint64_t lost_of(const std::vector<std::uint64_t>&) const { return 0; }
  /// Takes back what the broker has retained of its streams.
  void clear_retained();
  /// Messages that were due and not sent. Moves the schedule to its end.
  [[nodiscard]] std::uint64_t skip_rest();

 protected:
  /// Of its next message, from when it was due.
  void note_sent(mqtt::TimePoint due, mqtt::TimePoint now, std::uint64_t expected);
  /// Of a message that was due then, and the server has refused.
  void forget_expected(mqtt::TimePoint due, std::uint64_t deliveries);
  void look_for_room();
  void on_accepted() override { be_ready(); }
  /// Ready, and with what fell due while it was away.
  void be_ready();
  [[nodiscard]] virtual bool has_room();
  [[nodiscard]] virtual mqtt::PropertiesView properties(std::uint64_t sequence);

 private:
  struct InFlight {
    mqtt::TimePoint due{};
    mqtt::TimePoint sent{};
    std::uint32_t stream = 0;
  };

  void on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView properties) override;
  void on_output_drained() override;
  void advance() { schedule_.advance(around_.plan.load, number()); }
  [[nodiscard]] mqtt::TimePoint second_of(mqtt::TimePoint due, mqtt::TimePoint sent) const;

  std::uint32_t stream_ = 0;       // of topic_
  bool waiting_ = false;           // for room
  mqtt::Rare<std::string> topic_;  // of the first message on
  Schedule schedule_;              // its rounds are messages, those that the session would not take included
  std::uint64_t sent_ = 0;
  std::uint64_t expected_ = 0;
  mqtt::Rare<std::unordered_map<std::uint32_t, std::uint64_t>> refused_;  // by the server, per stream
  std::uint64_t batch_ = 0;
  mqtt::Rare<mqtt::IdTable<InFlight>> in_flight_;
};

class BenchSubscriber : public BenchClient {
 public:
  BenchSubscriber(Surroundings& around, ClientOwner& owner, std::uint32_t number);
  /// As one of another kind.
  BenchSubscriber(Surroundings& around, ClientOwner& owner, ClientKinds::Options options,
                  std::uint32_t number);

  /// Of how many messages each stream has: what never came, damaged or not.
  [[nodiscard]] std::uint64_t lost_of(const std::vector<std::uint64_t>& sent) const;
  /// Different messages, damaged ones included.
  [[nodiscard]] std::uint64_t distinct() const { return inbox_.distinct(); }
  /// Among the subscribers.
  [[nodiscard]] std::uint32_t number() const { return number_of_all(); }
  /// The broker has kept `messages` for it: it measures how long it takes to get them.
  void expect_kept(std::uint64_t messages) { kept_ = messages; }

 private:
  void on_accepted() override;
  void on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) override;
  void on_message(const mqtt::PublishView& message, mqtt::AckToken token) override;
  [[nodiscard]] mqtt::PropertiesView farewell() const override;

  Inbox inbox_;
  mqtt::TimePoint back_{};  // when messages that were kept could come
  std::uint64_t kept_ = 0;
};

}  // namespace mq::bench
