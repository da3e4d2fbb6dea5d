#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <mqtt/client/client.hpp>

#include "common/client_setup.hpp"
#include "mqbench/verify_scenario.hpp"
#include "mqbench/verify_tally.hpp"

namespace mq::bench {

/// What the clients of a verification share.
struct VerifyGround {
  mqtt::net::Loop& loop;
  const VerifyScenario& scenario;
  std::uint32_t run;                       ///< of the stamps and topics
  mqtt::Properties farewell{};             ///< of DISCONNECT with 5.0: it ends the session
  std::uint64_t moved = 0;                 ///< counts whatever says that something goes on
  std::uint64_t foreign = 0;               ///< messages that are none of this run's, or retained ones
  std::vector<std::uint64_t> next_sent{};  ///< by publisher: the number of its next message
};

/// The topic of a publisher, and the filter of all of a kind: "mqbench/RUN/KIND/N".
[[nodiscard]] std::string verify_topic(std::uint32_t run, const VerifyScenario& scenario,
                                       std::uint32_t publisher);
[[nodiscard]] std::string verify_filter(std::uint32_t run, const VerifyScenario& scenario,
                                        std::uint32_t subscriber);
/// What a message's bytes are: its stamp, then noise that is its own, so that parts of another one show.
void make_verify_payload(std::uint32_t run, const VerifyScenario& scenario, std::uint32_t publisher,
                         std::uint64_t number, mqtt::TimePoint sent, std::vector<std::uint8_t>& into);

/// One connection that may be broken, and comes back with its session.
class VerifyClient : public mqtt::ClientHandler {
 public:
  virtual ~VerifyClient() = default;
  VerifyClient(const VerifyClient&) = delete;
  VerifyClient& operator=(const VerifyClient&) = delete;

  void connect() { client_.start(); }
  /// Ends the session at the server, too.
  void leave();

  /// Connected, subscribed if that is its task, and under no fault.
  [[nodiscard]] bool well() const { return ready() && !fault_; }
  /// A fault begins: only of who is well(). Stalls and absences last for `length`.
  void suffer(FaultKind kind, mqtt::Duration length);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] mqtt::Client& client() { return client_; }
  [[nodiscard]] const mqtt::Client& client() const { return client_; }
  /// How its last connection ended, once nothing follows any more.
  [[nodiscard]] const std::optional<mqtt::Ending>& ended() const { return ended_; }
  [[nodiscard]] std::uint64_t connections_lost() const { return connections_lost_; }
  [[nodiscard]] std::uint64_t sessions_lost() const { return sessions_lost_; }
  [[nodiscard]] std::uint64_t half_closes_ignored() const { return half_closes_ignored_; }
  [[nodiscard]] bool session_left() const { return session_left_; }
  /// What makes it useless: the server takes neither its subscription nor its messages.
  [[nodiscard]] const std::optional<SetupFailure>& failure() const { return failure_; }

  /// How long a half-closed connection waits for the server's end.
  static constexpr mqtt::Duration half_close_patience = std::chrono::seconds{5};

 protected:
  VerifyClient(VerifyGround& ground, std::string name, mqtt::ClientOptions options);

  [[nodiscard]] virtual bool ready() const = 0;
  /// CONNACK has accepted it.
  virtual void on_accepted(bool session_present) = 0;
  /// The connection is lost, or is not read any more.
  virtual void on_away() = 0;
  /// It is read again.
  virtual void on_back() = 0;

  void on_message(const mqtt::PublishView&, mqtt::AckToken) override {}
  void on_published(mqtt::PacketId, mqtt::ReasonCode, mqtt::PropertiesView) override {}
  void on_connack(const mqtt::ConnackView& connack) final;
  void on_lost(const mqtt::Ending& ending, mqtt::Duration delay) final;
  void on_session_left(const mqtt::Ending&) final { session_left_ = true; }
  void on_ended(const mqtt::Ending& ending) final;

  VerifyGround& ground_;
  std::optional<SetupFailure> failure_;

 private:
  void on_fault_time();

  std::string name_;
  mqtt::Client client_;
  mqtt::net::Timer fault_timer_;
  std::optional<FaultKind> fault_;
  std::optional<mqtt::Ending> ended_;
  std::uint64_t connections_lost_ = 0;  // not by a fault of ours
  std::uint64_t sessions_lost_ = 0;
  std::uint64_t half_closes_ignored_ = 0;
  bool accepted_before_ = false;
  bool session_left_ = false;
};

class VerifyPublisher final : public VerifyClient {
 public:
  VerifyPublisher(VerifyGround& ground, std::string name, mqtt::ClientOptions options, std::uint32_t number);

  /// Sends its next message, if there is room for one now; whether there was.
  [[nodiscard]] bool publish();

  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] mqtt::QoS qos() const { return ground_.scenario.kind_of_publisher(number_).publish; }
  [[nodiscard]] const Published& published() const { return published_; }
  [[nodiscard]] std::uint64_t acked() const { return acked_; }
  [[nodiscard]] std::uint64_t acked_late() const { return acked_late_; }
  [[nodiscard]] std::uint64_t unacked() const { return in_flight_.size(); }

 private:
  struct InFlight {
    std::uint64_t number;
    mqtt::TimePoint sent;
  };

  [[nodiscard]] bool ready() const override { return client().connected(); }
  void on_accepted(bool) override {}
  void on_away() override;
  void on_back() override {}
  void on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView properties) override;

  std::uint32_t number_;
  std::string topic_;
  Published published_;
  std::vector<std::uint8_t> payload_;
  std::unordered_map<mqtt::PacketId, InFlight> in_flight_;
  std::uint64_t acked_ = 0;
  std::uint64_t acked_late_ = 0;
};

class VerifySubscriber final : public VerifyClient {
 public:
  VerifySubscriber(VerifyGround& ground, std::string name, mqtt::ClientOptions options, std::uint32_t number);

  [[nodiscard]] std::uint32_t number() const { return number_; }
  /// The lower of what was asked for and granted.
  [[nodiscard]] mqtt::QoS promised() const { return promised_; }
  /// The stream of the publisher with this number among those of its kind.
  [[nodiscard]] const StreamTally& stream(std::uint32_t publisher) const { return streams_[publisher]; }

 private:
  [[nodiscard]] bool ready() const override { return subscribed_ && client().connected(); }
  void on_accepted(bool session_present) override;
  void on_away() override;
  void on_back() override;
  void on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) override;
  void on_message(const mqtt::PublishView& message, mqtt::AckToken token) override;
  [[nodiscard]] StreamTally* stream_of(std::string_view topic);

  std::uint32_t number_;
  std::uint32_t first_;  // publisher of its kind
  std::string filter_;
  mqtt::QoS promised_;
  std::vector<StreamTally> streams_;
  std::vector<std::uint8_t> expected_;  // payload, for comparing
  bool subscribed_ = false;
};

}  // namespace mq::bench
