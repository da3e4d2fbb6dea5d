#include <mqtt/codec/topic.hpp>
#include <mqtt/inspect/rules.hpp>

// SUBSCRIBE, UNSUBSCRIBE and their answers.

namespace mqtt::rules {
namespace {

using enum PacketType;

/// Filters that the server has said it does not serve.
void check_filters(Judge& j, bool available, bool (*is_one)(std::string_view)) {
  if (!j.state.accepted() || available) return;
  std::size_t nth = 0;
  for (const SubscriptionView& s : j.as<SubscribeView>()->subscriptions) {
    if (is_one(s.filter))
      return j.report("Topic Filter", std::string{s.filter}, j.state.connack->step.number, nth);
    ++nth;
  }
}

void check_wildcards(Judge& j) {
  check_filters(j, !j.state.connack || j.state.connack->wildcards_available,
                [](std::string_view filter) { return has_wildcard(filter); });
}

void check_shared(Judge& j) {
  check_filters(j, !j.state.connack || j.state.connack->shared_available,
                [](std::string_view filter) { return filter.starts_with("$share/"); });
}

void check_subscription_ids(Judge& j) {
  if (j.state.accepted() && !j.state.connack->subscription_ids_available &&
      j.as<SubscribeView>()->properties.find(PropertyId::subscription_identifier))
    j.report("Subscription Identifier", {}, j.state.connack->step.number);
}

PacketId id_of(const Judge& j) {
  const auto* suback_packet = j.as<SubackView>();
  return suback_packet ? suback_packet->packet_id : j.as<UnsubackView>()->packet_id;
}

/// The request that the packet answers.
const OpenRequest* request_of(const Judge& j) {
  const auto found = j.state.requests.find(id_of(j));
  const PacketType wanted = j.type() == suback ? subscribe : unsubscribe;
  return found != j.state.requests.end() && found->second.type == wanted ? &found->second : nullptr;
}

/// Requests end with their connection, so an earlier one does not excuse an answer.
void check_answers_request(Judge& j) {
  if (j.state.all_seen() && !request_of(j))
    j.report("Packet Identifier", fmt::format("{} {}", to_string(j.type()), id_of(j)));
}

void check_count(Judge& j, std::size_t codes) {
  const OpenRequest* request = j.state.all_seen() ? request_of(j) : nullptr;
  if (!request) return;
  const std::size_t filters = request->filters().count();
  if (codes != filters) j.report({}, fmt::format("{} for {} filters", codes, filters), request->step.number);
}
void check_suback_count(Judge& j) { check_count(j, j.as<SubackView>()->reasons.size()); }
void check_unsuback_count(Judge& j) { check_count(j, j.as<UnsubackView>()->reasons.size()); }

void check_granted(Judge& j) {
  const OpenRequest* request = j.state.all_seen() ? request_of(j) : nullptr;
  if (!request) return;
  const Bytes reasons = j.as<SubackView>()->reasons;
  std::size_t nth = 0;
  for (const SubscriptionView& s : request->filters()) {
    if (nth == reasons.size()) return;
    if (reasons[nth] <= 2 && reasons[nth] > to_number(s.options.qos))
      return j.report(j.state.version == Version::v5 ? "Reason Code" : "Return Code",
                      fmt::format("{} for QoS {}", reasons[nth], to_number(s.options.qos)),
                      request->step.number, nth);
    ++nth;
  }
}

constexpr Rule subscribe_table[] = {
    {{"v5#3.2.2.3.11/wildcard-use", none},
     Severity::error,
     "wildcard though the server has none",
     on(subscribe),
     check_wildcards},
    {{"v5#3.2.2.3.12/subid-use", none},
     Severity::error,
     "Subscription Identifier though the server has none",
     on(subscribe),
     check_subscription_ids},
    {{"v5#3.2.2.3.13/shared-use", none},
     Severity::error,
     "shared subscription though the server has none",
     on(subscribe),
     check_shared},
    {{"MQTT-2.2.1-6", "MQTT-2.3.1-7"},
     Severity::error,
     "answer to no request",
     on(suback, unsuback),
     check_answers_request},
    {{"MQTT-3.8.4-6", "MQTT-3.8.4-5"},
     Severity::error,
     "number of codes is not that of the filters",
     on(suback),
     check_suback_count},
    {{"MQTT-3.11.3-2", none},
     Severity::error,
     "number of codes is not that of the filters",
     on(unsuback),
     check_unsuback_count},
    {{"MQTT-3.9.3-1"}, Severity::warning, "granted more than was asked for", on(suback), check_granted},
};

}  // namespace

std::span<const Rule> subscribing() { return subscribe_table; }

}  // namespace mqtt::rules
