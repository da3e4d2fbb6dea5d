#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/client/client.hpp>
#include <mqtt/net/loop.hpp>

#include "common/client_setup.hpp"
#include "common/diag.hpp"
#include "common/farewell.hpp"
#include "common/packet_log.hpp"
#include "common/signals.hpp"
#include "mqpub/account.hpp"
#include "mqpub/feed.hpp"
#include "mqpub/options.hpp"
#include "mqpub/pace.hpp"
#include "mqpub/spool.hpp"

namespace mq {

/// Takes messages from a feed to the server: connects, publishes within the window, waits for what is to
/// be acknowledged, and leaves.
class Publisher final : private mqtt::ClientHandler, private FeedSink {
 public:
  /// `started` is what -W counts from. `spool` may be null.
  Publisher(mqtt::net::Loop& loop, const PubConfig& config, ClientSetup setup, std::unique_ptr<Spool> spool,
            mqtt::TimePoint started);

  [[nodiscard]] ExitCode run();

 private:
  // The feed's side.
  [[nodiscard]] bool has_room() override;
  [[nodiscard]] bool on_pace();
  [[nodiscard]] mqtt::Result<void> publish(const OutgoingMessage& message) override;
  void reject(const Sentence& why) override;
  void remember_topic(mqtt::PacketId id, std::string_view topic);
  [[nodiscard]] std::string_view topic_of(mqtt::PacketId id) const;
  void on_feed_due() override { pump(); }
  void on_feed_end() override { finish_if_done(); }
  void on_feed_error(const mqtt::Error& error) override;
  void pump();
  void finish_if_done();
  [[nodiscard]] bool confirmed();

  // The spool's side.
  [[nodiscard]] mqtt::Result<void> restore();
  void restore(const Spool::Message& message);
  [[nodiscard]] bool may_write() override;
  void on_taken_over(mqtt::PacketId id) override;
  void close_spool();

  // The connection's side.
  void on_connack(const mqtt::ConnackView& connack) override;
  void on_message(const mqtt::PublishView&, mqtt::AckToken) override {}  // nothing was subscribed to
  void on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView properties) override;
  void on_pong() override;
  void on_output_drained() override { pump(); }
  void on_lost(const mqtt::Ending& ending, mqtt::Duration delay) override;
  void on_renewal_failed(const mqtt::Error& error, mqtt::Duration delay) override;
  void on_session_left(const mqtt::Ending& ending) override;
  void on_ended(const mqtt::Ending& ending) override;

  void fail(const mqtt::Ending& ending);
  void fail_unread(const mqtt::Ending& ending);
  [[nodiscard]] bool lost_at_the_end(const mqtt::Ending& ending) const;
  void on_deadline();
  void leave(ExitCode code);
  void write_summary();

  mqtt::net::Loop& loop_;
  const PubConfig& config_;
  mqtt::TimePoint started_;
  Diag diag_;
  Where where_;
  Farewell farewell_;
  Signals signals_;
  mqtt::net::Timer deadline_;
  mqtt::net::Timer pace_timer_;
  Pace pace_;
  std::unique_ptr<Spool> spool_;
  mqtt::Client client_;
  PacketLog packet_log_;
  std::unique_ptr<Feed> feed_;
  Account account_;
  std::vector<std::string> topics_;  // by packet identifier
  ExitCode exit_code_ = ExitCode::ok;
  bool leaving_ = false;
  bool ping_sent_ = false;
  bool pong_seen_ = false;
  bool accounted_ = false;  // the account has been written
};

}  // namespace mq
