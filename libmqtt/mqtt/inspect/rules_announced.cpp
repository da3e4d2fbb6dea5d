#include <mqtt/inspect/rules.hpp>

// What one side refuses although it said that it takes it, and takes although it said that it does not.

namespace mqtt::rules {
namespace {

using enum PacketType;

void check_will_qos(Judge& j) {
  const auto& p = *j.as<ConnackView>();
  const auto maximum = p.properties.number(PropertyId::maximum_qos);
  if (p.reason == ReasonCode::success && j.state.connect && j.state.connect->will_qos && maximum &&
      to_number(*j.state.connect->will_qos) > *maximum)
    j.report("Maximum QoS", fmt::format("Will QoS is {}", to_number(*j.state.connect->will_qos)),
             j.state.connect->step.number);
}

void check_will_retain(Judge& j) {
  const auto& p = *j.as<ConnackView>();
  if (p.reason == ReasonCode::success && j.state.connect && j.state.connect->will_retain &&
      p.properties.number_or(PropertyId::retain_available, 1) == 0)
    j.report("Retain Available", {}, j.state.connect->step.number);
}

void check_qos_refused(Judge& j) {
  if (j.from(server) && j.as<DisconnectView>()->reason == ReasonCode::qos_not_supported &&
      j.state.accepted() && j.state.connack->maximum_qos == QoS::exactly_once)
    j.report("Disconnect Reason Code", {}, j.state.connack->step.number);
}

/// Other codes say a reason of their own.
bool says_nothing(std::uint8_t code) {
  const auto reason = static_cast<ReasonCode>(code);
  return reason == ReasonCode::unspecified_error || reason == ReasonCode::implementation_specific_error;
}

void check_subscription_qos_refused(Judge& j) {
  const auto& p = *j.as<SubackView>();
  const auto request = j.state.requests.find(p.packet_id);
  if (!j.state.all_seen() || !j.state.accepted() || request == j.state.requests.end()) return;
  std::size_t nth = 0;
  for (const SubscriptionView& s : request->second.filters()) {
    if (nth == p.reasons.size()) return;
    if (s.options.qos > j.state.connack->maximum_qos && says_nothing(p.reasons[nth]))
      return j.report("Reason Code", fmt::format("for QoS {}", to_number(s.options.qos)),
                      request->second.step.number, nth);
    ++nth;
  }
}

void check_alias_refused(Judge& j, Sender sender) {
  if (j.from(sender) && j.as<DisconnectView>()->reason == ReasonCode::topic_alias_invalid &&
      j.state.all_seen() && j.state.accepted() && !j.peer().alias_refusable)
    j.report("Disconnect Reason Code", fmt::format("Topic Alias Maximum is {}", j.own().topic_alias_maximum));
}
void check_alias_refused_by_client(Judge& j) { check_alias_refused(j, client); }
void check_alias_refused_by_server(Judge& j) { check_alias_refused(j, server); }

void check_no_subscription(Judge& j) {
  const auto& p = *j.as<UnsubackView>();
  const auto request = j.state.requests.find(p.packet_id);
  if (!j.state.all_seen() || request == j.state.requests.end()) return;
  std::size_t nth = 0;
  for (const SubscriptionView& s : request->second.filters()) {
    if (nth == p.reasons.size()) return;
    if (p.reasons[nth] == static_cast<std::uint8_t>(ReasonCode::no_subscription_existed) &&
        j.state.subscriptions.contains(s.filter))
      return j.report("Reason Code", std::string{s.filter}, request->second.step.number, nth);
    ++nth;
  }
}

constexpr Rule announced_table[] = {
    {{"MQTT-3.2.2-12", none},
     Severity::warning,
     "server accepted a Will above its Maximum QoS",
     on(connack),
     check_will_qos},
    {{"MQTT-3.2.2-13", none},
     Severity::warning,
     "server without retained messages accepted a Will with RETAIN",
     on(connack),
     check_will_retain},
    {{"MQTT-3.2.2-9", none},
     Severity::warning,
     "server refuses a QoS, but announced no Maximum QoS",
     on(disconnect),
     check_qos_refused},
    {{"MQTT-3.2.2-10", none},
     Severity::warning,
     "server refuses a subscription with a QoS above its Maximum QoS",
     on(suback),
     check_subscription_qos_refused},
    {{"MQTT-3.3.2-10", none},
     Severity::warning,
     "client refuses a Topic Alias that it takes",
     on(disconnect),
     check_alias_refused_by_client},
    {{"MQTT-3.3.2-12", none},
     Severity::warning,
     "server refuses a Topic Alias that it takes",
     on(disconnect),
     check_alias_refused_by_server},
    {{"MQTT-3.11.3-1", none},
     Severity::warning,
     "server knows no subscription where there was one",
     on(unsuback),
     check_no_subscription},
};

}  // namespace

std::span<const Rule> announcing() { return announced_table; }

}  // namespace mqtt::rules
