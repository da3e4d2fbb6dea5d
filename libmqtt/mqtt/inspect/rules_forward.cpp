#include <algorithm>

#include <mqtt/inspect/rules.hpp>
#include <mqtt/util/text.hpp>

// What a server makes of a message between its publisher and its subscribers. Somebody whom we do not see may
// have published the same, so all of this is probable at most; and where several messages are alike, nothing
// is said that holds for one of them alone.

namespace mqtt::rules {
namespace {

using enum PacketType;

/// The way from one side of the server to the other, with its clocks.
constexpr Duration underway = std::chrono::seconds{2};

const PublishView& outgoing(const Judge& j) { return *j.as<PublishView>(); }

/// The only message that it can be, or null.
const Publication* source(const Judge& j) {
  return j.from(server) && j.origins->count == 1 ? j.origins->messages[0] : nullptr;
}

/// Its plain subscriptions, if nothing is about to change; or null.
const Matches* settled(Judge& j) {
  const Matches* found = j.from(server) ? j.matches() : nullptr;
  return found && found->any && !found->unsettled && !found->shared ? found : nullptr;
}

bool equal(const PropertyView& a, const PropertyView& b) { return a.number == b.number && a.text == b.text; }

void check_forwarded(Judge& j) {
  const Publication* from = source(j);
  if (!from || !from->properties_known) return;
  const PropertyId id = *j.rule().property;
  const auto published = PropertiesView{as_bytes(from->properties)}.find(id);
  if (!published) return;
  const auto delivered = outgoing(j).properties.find(id);
  if (!delivered)
    j.report("Topic Name", fmt::format("{} is missing", property_info(id).name));
  else if (!equal(*published, *delivered))
    j.report(property_info(id).name);
}

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

Pairs user_properties(PropertiesView properties) {
  Pairs pairs;
  for (const PropertyView& p : properties)
    if (p.id == PropertyId::user_property) pairs.emplace_back(p.key, p.text);
  return pairs;
}

/// Whether all of `part` are among `whole`, each as often.
bool holds_all(Pairs whole, Pairs part) {
  std::ranges::sort(whole);
  std::ranges::sort(part);
  return std::ranges::includes(whole, part);
}

bool holds_in_order(const Pairs& whole, const Pairs& part) {
  auto at = part.begin();
  for (const auto& pair : whole)
    if (at != part.end() && *at == pair) ++at;
  return at == part.end();
}

struct UserProperties {
  Pairs published, delivered;
};

std::optional<UserProperties> user_properties_of(const Judge& j) {
  const Publication* from = source(j);
  if (!from || !from->properties_known || from->properties.empty()) return std::nullopt;
  return UserProperties{user_properties(PropertiesView{as_bytes(from->properties)}),
                        user_properties(outgoing(j).properties)};
}

void check_user_properties(Judge& j) {
  const auto both = user_properties_of(j);
  if (both && !holds_all(both->delivered, both->published))
    j.report("Topic Name", fmt::format("{} of {}", both->delivered.size(), both->published.size()));
}

void check_user_order(Judge& j, bool of_will) {
  const auto both = user_properties_of(j);
  if (both && source(j)->will == of_will && holds_all(both->delivered, both->published) &&
      !holds_in_order(both->delivered, both->published))
    j.report("User Property");
}
void check_message_user_order(Judge& j) { check_user_order(j, false); }
void check_will_user_order(Judge& j) { check_user_order(j, true); }

/// The expiry that a message was published with; a Will waits before it is published, nobody knows how long.
std::optional<Duration> expiry_of(const Publication& from) {
  if (from.will || !from.properties_known) return std::nullopt;
  const auto seconds = PropertiesView{as_bytes(from.properties)}.number(PropertyId::message_expiry_interval);
  return seconds ? std::optional<Duration>{std::chrono::seconds{*seconds}} : std::nullopt;
}

/// What was begun is brought to an end.
void check_expired(Judge& j) {
  const Publication* from = source(j);
  const auto expiry = from && !outgoing(j).dup ? expiry_of(*from) : std::nullopt;
  if (expiry && j.now() - from->time > *expiry + underway)
    j.report("Topic Name", fmt::format("published with {}", format_duration(*expiry)));
}

void check_expiry_counted(Judge& j) {
  const Publication* from = source(j);
  const auto expiry = from && !outgoing(j).dup ? expiry_of(*from) : std::nullopt;
  if (!expiry) return;
  const auto seconds = outgoing(j).properties.number(PropertyId::message_expiry_interval);
  if (!seconds) return j.report("Topic Name", "Message Expiry Interval is missing");
  const Duration off = std::chrono::seconds{*seconds} + (j.now() - from->time) - *expiry;
  if (off > underway || off < -underway)
    j.report("Message Expiry Interval", fmt::format("published with {}", format_duration(*expiry)));
}

void check_published_qos(Judge& j) {
  if (!j.from(server) || j.origins->count == 0) return;
  QoS published = QoS::at_most_once;
  for (std::size_t i = 0; i < j.origins->count; ++i)
    published = std::max(published, j.origins->messages[i]->qos);
  if (outgoing(j).qos > published)
    j.report("QoS level",
             fmt::format("{}, published with {}", to_number(outgoing(j).qos), to_number(published)));
}

/// Published when the subscription was there already.
bool is_live(const Publication& from, const Matches& found) { return from.time > found.last_granted; }
/// Published when nobody had asked for it yet.
bool is_stored(const Publication& from, const Matches& found) {
  return from.time + underway < found.first_asked;
}

void check_live_not_retained(Judge& j) {
  if (!outgoing(j).retain) return;
  const Publication* from = source(j);
  const Matches* found = settled(j);
  if (from && found && !from->will && !found->retained_as_published && is_live(*from, *found))
    j.report("RETAIN");
}

void check_as_published(Judge& j) {
  const Publication* from = source(j);
  if (!from || from->will || from->retain == outgoing(j).retain) return;
  const Matches* found = settled(j);
  if (found && !found->without_as_published && is_live(*from, *found)) j.report("RETAIN");
}

/// A stored message is one that the session did not wait for.
void check_stored_flag(Judge& j, bool of_will) {
  const PublishView& p = outgoing(j);
  const Publication* from = source(j);
  if (!from || p.retain || p.dup || !from->retain || from->will != of_will || !j.fresh_session()) return;
  const Matches* found = settled(j);
  if (found && is_stored(*from, *found)) j.report("RETAIN");
}
void check_stored_message(Judge& j) { check_stored_flag(j, false); }
void check_stored_will(Judge& j) { check_stored_flag(j, true); }

void check_will_not_stored(Judge& j) {
  const Publication* from = source(j);
  if (!outgoing(j).retain || !from || !from->will || from->retain) return;
  const Matches* found = settled(j);
  if (found && !found->retained_as_published) j.report("RETAIN");
}

/// The topic's last retained message, if the delivery is of an older one, or of one that was not retained.
const Publication* retained_instead(Judge& j) {
  const Publication* last = j.from(server) ? j.origins->retained : nullptr;
  if (!last || !outgoing(j).retain || last->key == j.origins->key) return nullptr;
  const Matches* found = settled(j);
  return found && !found->retained_as_published && is_stored(*last, *found) ? last : nullptr;
}

bool is_not_retained(const Judge& j) {
  const Publication* from = source(j);
  return from && !from->retain && !from->will;
}

void check_retained_cleared(Judge& j) {
  const Publication* last = retained_instead(j);
  if (last && last->empty) j.report("Topic Name");
}

void check_retained_replaced(Judge& j) {
  const Publication* last = retained_instead(j);
  if (last && !last->empty && !is_not_retained(j)) j.report("Payload");
}

void check_retained_untouched(Judge& j) {
  const Publication* last = retained_instead(j);
  if (last && !last->empty && is_not_retained(j)) j.report("Payload");
}

void check_no_local(Judge& j) {
  const Matches* found = settled(j);
  if (!found || found->own_wanted || j.origins->count == 0) return;
  for (std::size_t i = 0; i < j.origins->count; ++i) {
    const Publication& from = *j.origins->messages[i];
    if (from.connection != j.origins->connection || from.will) return;
  }
  j.report("Topic Name");
}

void check_order_kept(Judge& j) {
  if (j.from(server) && j.origins->overtaken && settled(j)) j.report("Topic Name");
}

void check_will_withdrawn(Judge& j) {
  if (j.from(server) && j.origins->withdrawn_will && !outgoing(j).retain && !outgoing(j).dup)
    j.report("Topic Name");
}

void check_response(Judge& j) {
  if (j.from(client) && j.origins->is_response && !outgoing(j).properties.find(PropertyId::correlation_data))
    j.report("Topic Name");
}

constexpr Rule crossing(Clause clause, std::string_view text, void (*check)(Judge&),
                        Severity severity = Severity::warning) {
  return {clause, severity, text, on(publish), check, {}, Rule::Needs::origins};
}

constexpr Rule unchanged(std::string_view clause, std::string_view text, PropertyId property) {
  return {{clause, none}, Severity::warning,   text, on(publish), check_forwarded,
          property,       Rule::Needs::origins};
}

constexpr Rule forward_table[] = {
    unchanged("MQTT-3.3.2-4", "Payload Format Indicator is not as it was published",
              PropertyId::payload_format_indicator),
    unchanged("MQTT-3.3.2-15", "Response Topic is not as it was published", PropertyId::response_topic),
    unchanged("MQTT-3.3.2-16", "Correlation Data is not as it was published", PropertyId::correlation_data),
    unchanged("MQTT-3.3.2-20", "Content Type is not as it was published", PropertyId::content_type),
    crossing({"MQTT-3.3.2-17", none}, "User Properties are not all forwarded", check_user_properties),
    crossing({"MQTT-3.3.2-18", none}, "User Properties are forwarded in another order",
             check_message_user_order),
    crossing({"MQTT-3.1.3-10", none}, "User Properties of a Will are in another order",
             check_will_user_order),
    crossing({"MQTT-3.3.2-5", none}, "message delivered after it expired", check_expired),
    crossing({"MQTT-3.3.2-6", none}, "Message Expiry Interval is not what is left of it",
             check_expiry_counted),
    crossing({"MQTT-3.8.4-8", "MQTT-3.8.4-6"}, "delivered with more than the QoS it was published with",
             check_published_qos),
    crossing({"MQTT-3.3.1-12", "MQTT-3.3.1-9"}, "new message delivered as retained", check_live_not_retained),
    crossing({"MQTT-3.3.1-13", none}, "RETAIN is not as it was published", check_as_published),
    crossing({none, "MQTT-3.3.1-8"}, "retained message delivered without RETAIN", check_stored_message),
    crossing({"MQTT-3.1.2-15", "MQTT-3.1.2-17"}, "retained Will delivered without RETAIN", check_stored_will),
    crossing({"MQTT-3.1.2-14", "MQTT-3.1.2-16"}, "Will delivered as retained, which it is not",
             check_will_not_stored),
    crossing({"MQTT-3.3.1-6", "MQTT-3.3.1-10"}, "retained message delivered after it was removed",
             check_retained_cleared),
    crossing({"MQTT-3.3.1-5"}, "retained message delivered after it was replaced", check_retained_replaced),
    crossing({"MQTT-3.3.1-8", "MQTT-3.3.1-12"}, "message without RETAIN has taken a retained one's place",
             check_retained_untouched),
    crossing({"MQTT-3.8.3-3", none}, "client's own message delivered in spite of No Local", check_no_local),
    crossing({"MQTT-4.6.0-5"}, "message delivered after one that was published later", check_order_kept),
    crossing({"MQTT-3.14.4-3"}, "Will published after a DISCONNECT that took it back", check_will_withdrawn),
    crossing({"v5#4.10/responder", none}, "response without the request's Correlation Data", check_response,
             Severity::info),
};

}  // namespace

std::span<const Rule> forwarding() { return forward_table; }

}  // namespace mqtt::rules
