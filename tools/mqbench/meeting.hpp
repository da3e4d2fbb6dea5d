#pragma once
#include <atomic>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <thread>

#include <mqtt/client/client.hpp>
#include <mqtt/net/loop.hpp>

#include "common/client_setup.hpp"
#include "common/wall_time.hpp"
#include "mqbench/rendezvous.hpp"
#include "mqbench/shard_config.hpp"

namespace mq::bench {

/// A Rendezvous over MQTT, in a thread of its own: the clocks are compared without waiting for anybody else.
/// All functions are for the main thread.
class Meeting final : private mqtt::ClientHandler {
 public:
  /// What has been agreed so far.
  struct View {
    std::optional<std::uint32_t> run;
    std::uint32_t present = 0;  ///< shards that have come
    mqtt::Deadline start;
    WallTime wall_start;  ///< the same by the first shard's time of day
    ClockOffset clock;
    mqtt::Duration worst_error{};
    bool stop = false;
    bool finish = false;
    bool over = false;
    Progress total;
    std::optional<RendezvousFailure> failure;
  };

  /// Begins. `setup` is that of the run's clients, with the target of the rendezvous.
  Meeting(RendezvousConfig config, ClientSetup setup, Where where);
  /// Who leaves before it is over is missed by the others.
  ~Meeting();

  [[nodiscard]] View look() const;
  [[nodiscard]] bool leads() const { return leads_; }
  /// How long other shards are waited for.
  [[nodiscard]] mqtt::Duration patience() const { return patience_; }
  void ready(mqtt::TimePoint now);
  void report(mqtt::TimePoint now, const Progress& own);
  void stop();
  void finish();
  void settle(mqtt::TimePoint now, const std::vector<std::uint64_t>& sent);
  /// By stream, of all shards once it is over.
  [[nodiscard]] std::vector<std::uint64_t> counts() const;

 private:
  void on_message(const mqtt::PublishView& message, mqtt::AckToken token) override;
  void on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView properties) override;
  void on_connack(const mqtt::ConnackView& connack) override;
  void on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) override;
  void on_ended(const mqtt::Ending& ending) override;

  void run();
  void tick();
  void leave();
  void publish();
  [[nodiscard]] bool publish(const Rendezvous::Outgoing& letter);
  [[nodiscard]] std::string topic_of(std::optional<std::uint32_t> to) const;

  const std::string topics_;
  const std::uint32_t index_;
  const bool leads_;
  const mqtt::Duration patience_;
  ClientSetup setup_;
  Where where_;
  std::atomic<bool> leaving_{false};

  mutable std::mutex mutex_;  // of the next
  Rendezvous rendezvous_;

  // Of the thread.
  std::deque<Rendezvous::Outgoing> letters_;
  std::unique_ptr<mqtt::net::Loop> loop_;
  std::unique_ptr<mqtt::Client> client_;
  std::unique_ptr<mqtt::net::Timer> timer_;
  mqtt::TimePoint leave_by_{};
  bool said_goodbye_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace mq::bench
