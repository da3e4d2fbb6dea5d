#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "mqbench/bench_client.hpp"

namespace mq::bench {

// Publishers of another kind: what one of them does when it is due is no message, but an operation that is
// complete later. Both are counted and measured as messages are: begun is sent, complete is received.

/// The publisher `number` as the scenario's operation wants it.
[[nodiscard]] std::unique_ptr<BenchPublisher> make_publisher(Surroundings& around, ClientOwner& owner,
                                                             std::uint32_t number);
[[nodiscard]] std::unique_ptr<BenchSubscriber> make_subscriber(Surroundings& around, ClientOwner& owner,
                                                               std::uint32_t number);

/// One that has one operation under way at most.
class Operator : public BenchPublisher {
 public:
  [[nodiscard]] std::uint64_t complete() const final { return complete_; }
  [[nodiscard]] std::uint64_t lost_of(const std::vector<std::uint64_t>&) const final {
    return expected() - complete_;
  }
  [[nodiscard]] std::size_t in_flight() const override { return under_way_ ? 1 : 0; }

 protected:
  using BenchPublisher::BenchPublisher;

  [[nodiscard]] bool has_room() override { return client_.connected() && !under_way_; }
  void begin(mqtt::TimePoint due);
  [[nodiscard]] bool under_way() const { return under_way_; }
  void completed();
  /// The broker has refused it.
  void refused(std::string_view why);

 private:
  mqtt::TimePoint due_{};
  mqtt::TimePoint began_{};
  std::uint64_t complete_ = 0;
  bool under_way_ = false;
};

/// Connects when it is due, once, and stays.
class Connector final : public Operator {
 public:
  using Operator::Operator;
  void publish(mqtt::TimePoint due) override;

 private:
  [[nodiscard]] bool has_room() override { return true; }
  void on_accepted() override {
    arrived();
    completed();
  }
  void on_ended(const mqtt::Ending& ending) override;
};

/// Is cut off when it is due, and comes back at once.
class Reconnector final : public Operator {
 public:
  using Operator::Operator;
  void publish(mqtt::TimePoint due) override;

 private:
  void on_accepted() override;
  void on_lost(const mqtt::Ending& ending, mqtt::Duration delay) override;
  bool cut_ = false;  // the loss that comes next is our own doing
};

/// Subscribes to a topic of its own when it is due, and unsubscribes.
class Churner final : public Operator {
 public:
  using Operator::Operator;
  void publish(mqtt::TimePoint due) override;

 private:
  [[nodiscard]] bool has_room() override { return Operator::has_room() && !unsubscribing_; }
  void on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) override;
  void on_unsubscribed(mqtt::PacketId id, const mqtt::UnsubackView& unsuback) override;
  void on_lost(const mqtt::Ending& ending, mqtt::Duration delay) override;
  mqtt::TimePoint asked_{};
  bool unsubscribing_ = false;
};

/// Dies when it is due, once: its will is its message.
class Mortal final : public BenchPublisher {
 public:
  using BenchPublisher::BenchPublisher;
  void publish(mqtt::TimePoint due) override;

 private:
  [[nodiscard]] bool has_room() override { return client_.connected(); }
  void on_connecting(mqtt::ConnectOptions& connect) override;
};

/// Publishes requests, and receives what is answered.
class Requester final : public BenchPublisher {
 public:
  Requester(Surroundings& around, ClientOwner& owner, std::uint32_t number)
      : BenchPublisher{around, owner, number}, inbox_{around} {}

  [[nodiscard]] std::uint64_t complete() const override { return inbox_.distinct(); }
  [[nodiscard]] std::uint64_t lost_of(const std::vector<std::uint64_t>& sent) const override;

 private:
  void on_accepted() override;
  void on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) override;
  void on_message(const mqtt::PublishView& message, mqtt::AckToken token) override;
  [[nodiscard]] mqtt::PropertiesView properties(std::uint64_t sequence) override;

  Inbox inbox_;
  mqtt::Properties properties_;
};

/// Answers requests with their own payload.
class Responder final : public BenchSubscriber {
 public:
  using BenchSubscriber::BenchSubscriber;

 private:
  /// Requests that wait for the window; more are left unanswered, and so lost.
  static constexpr std::size_t waiting_max = 100'000;
  struct Reply {
    std::string topic;
    std::string payload;
    mqtt::Properties properties;
  };

  void on_message(const mqtt::PublishView& message, mqtt::AckToken token) override;
  void on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView properties) override;
  void answer();

  std::deque<Reply> waiting_;
};

}  // namespace mq::bench
