#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/session/client_session.hpp>

#include "common/diag.hpp"
#include "messages/subscription.hpp"

namespace mq {

/// What a Subscriber is to bring about on each new session.
struct SubscriptionPlan {
  std::vector<Subscription> subscriptions;
  std::vector<std::string> unsubscribe;  ///< filters of a kept session that are no longer wanted
  mqtt::Properties subscribe_properties;
  mqtt::Properties unsubscribe_properties;
  bool allow_partial = false;  ///< some filters may be refused
};

/// The server shall have no more in flight than is still wanted: the rest would be delivered again, to
/// whoever comes next. Nothing before MQTT 5.0.
void cap_receive_maximum(mqtt::ConnectOptions& connect, std::uint64_t wanted);

/// One filter and what the server said to it.
struct Granted {
  std::string filter;
  mqtt::ReasonCode code;
};

/// Subscribes to a list of filters in as few packets as the server's Maximum Packet Size allows, then
/// unsubscribes from others, and judges the answers.
class Subscriber {
 public:
  enum class Outcome { waiting, granted, refused };

  /// Both must outlive it.
  Subscriber(const SubscriptionPlan& plan, Diag& diag) : plan_{plan}, diag_{diag} {}

  /// Queues the requests, all anew. Says refused, and why on stderr, if the server cannot grant one; granted
  /// if there is nothing to ask for. Before MQTT 5.0 what only 5.0 has is left out.
  [[nodiscard]] Outcome subscribe(mqtt::ClientSession& session, mqtt::TimePoint now);
  /// Says what was refused or granted lower. `refused` is for all filters, or any unless a part is enough.
  [[nodiscard]] Outcome on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback);
  [[nodiscard]] Outcome on_unsubscribed(mqtt::PacketId id, const mqtt::UnsubackView& unsuback);

  /// What the server has said since subscribe(), filter by filter.
  [[nodiscard]] const std::vector<Granted>& answers() const { return answers_; }

 private:
  struct Request {
    mqtt::PacketId id;
    std::size_t first;  // index of its first filter
  };

  [[nodiscard]] std::size_t filters_that_fit(std::size_t first, const mqtt::ClientSession& session) const;
  [[nodiscard]] mqtt::Properties properties_of(std::size_t first, mqtt::Version version) const;
  [[nodiscard]] bool send_subscribe(mqtt::ClientSession& session, mqtt::TimePoint now, std::size_t first,
                                    std::size_t count);
  [[nodiscard]] bool send_unsubscribe(mqtt::ClientSession& session, mqtt::TimePoint now);
  [[nodiscard]] Outcome outcome() const;
  void judge(const Subscription& subscription, mqtt::ReasonCode code, mqtt::PropertiesView properties);

  const SubscriptionPlan& plan_;
  Diag& diag_;
  std::vector<Request> requests_;  // not answered yet
  std::optional<mqtt::PacketId> unsubscribing_;
  std::vector<Granted> answers_;
  std::size_t refused_ = 0;
  bool unsubscribe_refused_ = false;
};

}  // namespace mq
