#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <mqtt/client/client.hpp>
#include <mqtt/net/loop.hpp>

#include "common/client_setup.hpp"
#include "common/diag.hpp"
#include "common/farewell.hpp"
#include "common/packet_log.hpp"
#include "common/signals.hpp"
#include "common/stdio.hpp"
#include "messages/lifecycle.hpp"
#include "messages/output_options.hpp"
#include "messages/pending_acks.hpp"
#include "messages/subscriber.hpp"
#include "mqreq/options.hpp"
#include "mqreq/replies.hpp"

namespace mq {

/// Random bytes that nobody can guess.
struct RequestSecrets {
  std::string correlation;  ///< Correlation Data, unless -D says them
  std::string topic;        ///< the end of a made-up response topic
};

/// Subscribes to the response topic, publishes the request once that is granted, and writes what answers
/// it. A reply is acknowledged only after its output has been written.
///
/// A connection that is lost and comes back: the subscription is made again unless the server has kept it.
/// A request of QoS 1 or 2 that was not acknowledged is sent again, by the session. One of QoS 0 that was
/// sent is not: nobody knows whether it arrived.
class Requester final : private mqtt::ClientHandler {
 public:
  Requester(mqtt::net::Loop& loop, const ReqConfig& config, ClientSetup setup, mqtt::SharedBytes payload,
            RequestSecrets secrets);

  [[nodiscard]] ExitCode run();

 private:
  enum class Request : std::uint8_t {
    waiting,  ///< for the subscription
    queued,   ///< not taken by the kernel
    sent,
    settled,  ///< acknowledged; or lost with its connection, perhaps, at QoS 0
  };

  // Asking.
  void on_connack(const mqtt::ConnackView& connack) override;
  void on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) override;
  void choose_response_topic(const mqtt::ConnackView& connack);
  void warn_of_old_version();
  void judge_subscription(Subscriber::Outcome outcome);
  void send_request();
  [[nodiscard]] mqtt::Properties request_properties();
  void on_output_drained() override;
  void on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView properties) override;

  // Receiving and writing.
  void on_message(const mqtt::PublishView& message, mqtt::AckToken token) override;
  void show(const mqtt::PublishView& message);
  [[nodiscard]] std::optional<mqtt::Duration> latency();
  void at_turn_end();
  void acknowledge_written();
  void on_drained();
  void on_output_over(ExitCode code);
  void fail_locally(const mqtt::Error& error);

  // Ending.
  void on_lost(const mqtt::Ending& ending, mqtt::Duration delay) override;
  void on_renewal_failed(const mqtt::Error& error, mqtt::Duration delay) override;
  void on_session_left(const mqtt::Ending& ending) override;
  void on_ended(const mqtt::Ending& ending) override;
  void on_deadline();
  void give_up_output();
  void give_up_waiting();
  void leave(ExitCode code);
  void say_goodbye();
  void summarize();
  [[nodiscard]] bool output_waits() const;

  mqtt::net::Loop& loop_;
  const ReqConfig& config_;
  mqtt::SharedBytes payload_;
  RequestSecrets secrets_;
  Diag diag_;
  Where where_;
  Farewell farewell_;
  Signals signals_;
  mqtt::net::Timer deadline_;
  mqtt::net::TurnEnd turn_end_;
  Stdout output_;
  MessageOutput messages_;
  SubscriptionPlan plan_;
  Subscriber subscriber_;
  Lifecycle lifecycle_;
  Replies replies_;
  mqtt::Client client_;
  PacketLog packet_log_;
  PendingAcks pending_acks_;
  std::string response_topic_;
  Request request_ = Request::waiting;
  std::optional<mqtt::TimePoint> sent_at_;
  ExitCode exit_code_ = ExitCode::ok;
  bool subscribed_ = false;
  bool waits_ = false;    // the deadline runs, or there is none
  bool leaving_ = false;  // the goodbye is on its way, or waits for the output
  bool gave_up_ = false;  // on the output
  bool ended_ = false;    // the connection
};

}  // namespace mq
