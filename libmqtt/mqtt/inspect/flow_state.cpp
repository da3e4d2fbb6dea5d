#include <mqtt/inspect/flow_state.hpp>

#include <algorithm>
#include <functional>

namespace mqtt {
namespace {

using Stage = OpenMessage::Stage;

/// Of one connection; beyond these, what depends on them is not judged.
constexpr std::size_t alias_bytes_max = 4u << 20;
constexpr std::size_t subscriptions_max = 10'000;
constexpr std::size_t open_requests_max = 256;
constexpr std::size_t request_bytes_max = 64u << 10;
constexpr std::size_t open_pings_max = 64;
constexpr std::size_t refused_max = 64;

/// Kept of a peer's reason string.
constexpr std::size_t reason_string_bytes_max = 1024;

std::string reason_string_of(PropertiesView properties) {
  return std::string{
      properties.text(PropertyId::reason_string).value_or("").substr(0, reason_string_bytes_max)};
}

const OpenMessage* find(const SideState& side, PacketId id) {
  const auto found = side.messages.find(id);
  return found == side.messages.end() ? nullptr : &found->second;
}

std::size_t order_of(QoS qos) { return to_number(qos) - 1u; }

/// The steps of one packet, by its type.
class Apply {
 public:
  Apply(FlowState& state, Sender sender, Step step)
      : state_{state}, own_{state.side(sender)}, peer_{state.side(other(sender))}, step_{step} {}

  void operator()(const ConnectView& p) {
    if (state_.connect) {
      if (!own_.fault) own_.fault = {step_, PacketType::connect, "MQTT-3.1.0-2"};
      return;
    }
    ConnectFacts c;
    c.step = step_;
    c.client_id = p.client_id;
    c.clean_start = p.clean_start;
    c.keep_alive = p.keep_alive;
    c.session_expiry = p.properties.number_or(PropertyId::session_expiry_interval, 0);
    if (const auto method = p.properties.text(PropertyId::authentication_method)) c.auth_method = *method;
    c.wants_problem_information = p.properties.number_or(PropertyId::request_problem_information, 1) == 1;
    c.wants_response_information = p.properties.number_or(PropertyId::request_response_information, 0) == 1;
    if (p.will) {
      c.will_qos = p.will->qos;
      c.will_retain = p.will->retain;
    }
    limits(p.properties);
    state_.version = p.version;
    state_.connect = std::move(c);
  }

  void operator()(const ConnackView& p) {
    if (state_.connack) return;
    const auto flag = [&](PropertyId id) { return p.properties.number_or(id, 1) == 1; };
    ConnackFacts c;
    c.step = step_;
    c.reason = p.reason;
    c.return_code = p.return_code;
    c.reason_string = reason_string_of(p.properties);
    c.session_present = p.session_present;
    c.maximum_qos = static_cast<QoS>(p.properties.number_or(PropertyId::maximum_qos, 2));
    c.retain_available = flag(PropertyId::retain_available);
    c.wildcards_available = flag(PropertyId::wildcard_subscription_available);
    c.subscription_ids_available = flag(PropertyId::subscription_identifier_available);
    c.shared_available = flag(PropertyId::shared_subscription_available);
    if (const auto seconds = p.properties.number(PropertyId::server_keep_alive))
      c.server_keep_alive = static_cast<std::uint16_t>(*seconds);
    if (const auto id = p.properties.text(PropertyId::assigned_client_identifier)) c.assigned_id = *id;
    limits(p.properties);
    // 3.1 has no Session Present: only a clean session is known to be new.
    const bool may_be_old = c.session_present || (state_.version == Version::v3_1 && state_.connect &&
                                                  !state_.connect->clean_start);
    if (may_be_old) state_.subscriptions_known = false;
    if (const auto seconds = p.properties.number(PropertyId::session_expiry_interval))
      c.session_expiry = *seconds;
    state_.connack = std::move(c);
    if (state_.resumed_known() && state_.past->subscriptions_known) {
      state_.subscriptions = state_.past->subscriptions;
      state_.subscriptions_known = true;
    }
  }

  void operator()(const PublishView& p) {
    if (const auto alias = p.properties.number(PropertyId::topic_alias))
      use_alias(static_cast<std::uint16_t>(*alias), p.topic);
    if (p.qos == QoS::at_most_once) return;
    sent_again(p.packet_id);
    const OpenMessage* open = find(own_, p.packet_id);
    if (open && p.dup) return;  // sent again
    if (open) settle(own_, p.packet_id, *open);
    own_.answers[order_of(p.qos)].expect(p.packet_id);
    own_.messages[p.packet_id] = {p.qos, Stage::published, step_, step_, payload_digest(p.payload)};
  }

  void operator()(const PubackView& p) {
    if (is_error(p.reason)) refuse(p.packet_id);
    end(p.packet_id, QoS::at_least_once);
  }

  void operator()(const PubrecView& p) {
    if (is_error(p.reason)) {
      refuse(p.packet_id);
      return end(p.packet_id, QoS::exactly_once);
    }
    OpenMessage& message = of_qos_2(peer_, p.packet_id);
    if (message.qos != QoS::exactly_once || message.stage != Stage::published) return;
    settle(peer_, p.packet_id, message);
    message.stage = Stage::received;
    message.last = step_;
    peer_.pubrels.expect(p.packet_id);
  }

  void operator()(const PubrelView& p) {
    sent_again(p.packet_id);
    OpenMessage& message = of_qos_2(own_, p.packet_id);
    if (message.qos != QoS::exactly_once) return;
    settle(own_, p.packet_id, message);
    message.stage = Stage::released;
    message.last = step_;
  }

  void operator()(const PubcompView& p) { end(p.packet_id, QoS::exactly_once); }

  void operator()(const SubscribeView& p) {
    open_request(p.packet_id, {PacketType::subscribe, step_, to_string(p.subscriptions.encoded()),
                               p.properties.number_or(PropertyId::subscription_identifier, 0)});
  }

  void operator()(const UnsubscribeView& p) {
    open_request(p.packet_id, {PacketType::unsubscribe, step_, to_string(p.filters.encoded())});
  }

  void operator()(const SubackView& p) {
    const auto open = state_.requests.find(p.packet_id);
    if (open == state_.requests.end() || open->second.type != PacketType::subscribe) return;
    std::size_t i = 0;
    for (const SubscriptionView& s : open->second.filters()) {
      if (i >= p.reasons.size()) break;
      if (p.reasons[i] <= 2) keep(s, static_cast<QoS>(p.reasons[i]), open->second);
      ++i;
    }
    state_.requests.erase(open);
  }

  void operator()(const UnsubackView& p) {
    const auto open = state_.requests.find(p.packet_id);
    if (open == state_.requests.end() || open->second.type != PacketType::unsubscribe) return;
    std::size_t i = 0;
    for (const SubscriptionView& s : open->second.filters()) {
      const bool removed = i >= p.reasons.size() || p.reasons[i] < 0x80;
      const auto known = state_.subscriptions.find(s.filter);
      if (removed && known != state_.subscriptions.end()) state_.subscriptions.erase(known);
      ++i;
    }
    state_.requests.erase(open);
  }

  void operator()(const PingreqView&) {
    if (state_.pings.size() < open_pings_max) state_.pings.push_back(step_);
  }
  void operator()(const PingrespView&) {
    if (!state_.pings.empty()) state_.pings.pop_front();
  }
  void operator()(const DisconnectView& p) {
    if (!own_.disconnect)
      own_.disconnect = {step_, p.reason, reason_string_of(p.properties),
                         p.properties.number(PropertyId::session_expiry_interval)};
  }
  void operator()(const AuthView&) {}

 private:
  /// That CONNECT and CONNACK announce for the other side.
  void limits(PropertiesView properties) {
    own_.receive_maximum = static_cast<std::uint16_t>(
        properties.number_or(PropertyId::receive_maximum, receive_maximum_default));
    own_.topic_alias_maximum =
        static_cast<std::uint16_t>(properties.number_or(PropertyId::topic_alias_maximum, 0));
    own_.maximum_packet_size = properties.number_or(PropertyId::maximum_packet_size, packet_size_max);
  }

  void use_alias(std::uint16_t alias, std::string_view topic) {
    if (!topic.empty()) own_.aliases.set(alias, topic);
    if (alias > peer_.topic_alias_maximum || own_.aliases.find(alias).empty()) own_.alias_refusable = true;
  }

  /// A message of an earlier connection goes on.
  void sent_again(PacketId id) {
    if (!state_.past) return;
    const auto side = static_cast<std::size_t>(&own_ - state_.sides.data());
    state_.past->publishes[side].answered(id);
    state_.past->messages[side].erase(id);
  }

  void refuse(PacketId id) {
    const OpenMessage* open = find(peer_, id);
    if (open && peer_.refused.size() < refused_max) peer_.refused[id] = open->digest;
  }

  /// What was due for a message is not due any more.
  static void settle(SideState& side, PacketId id, const OpenMessage& message) {
    if (message.stage == Stage::published) side.answers[order_of(message.qos)].answered(id);
    if (message.stage == Stage::received) side.pubrels.answered(id);
  }

  /// The other side's message is over, if it is one of this QoS.
  void end(PacketId id, QoS qos) {
    const OpenMessage* open = find(peer_, id);
    if (!open || open->qos != qos) return;
    settle(peer_, id, *open);
    peer_.messages.erase(id);
  }

  /// A message that `side` published; one of an earlier connection is known from here on.
  OpenMessage& of_qos_2(SideState& side, PacketId id) {
    return side.messages.try_emplace(id, OpenMessage{QoS::exactly_once, Stage::published, {}, step_})
        .first->second;
  }

  void open_request(PacketId id, OpenRequest request) {
    if (state_.requests.size() >= open_requests_max || request.list.size() > request_bytes_max) {
      own_.partial = true;
      return;
    }
    state_.requests[id] = std::move(request);
  }

  void keep(const SubscriptionView& subscription, QoS granted, const OpenRequest& request) {
    if (state_.subscriptions.size() >= subscriptions_max) {
      state_.subscriptions_known = false;
      return;
    }
    const auto [known, is_new] = state_.subscriptions.try_emplace(std::string{subscription.filter});
    known->second = {subscription.options, request.subscription_id, !is_new, request.step.time, step_.time};
    known->second.options.qos = granted;
  }

  FlowState& state_;
  SideState& own_;
  SideState& peer_;
  Step step_;
};

}  // namespace

std::uint64_t payload_digest(Bytes payload) {
  constexpr std::size_t part = 128;
  const std::string_view text = as_text(payload);
  const std::size_t begin = std::hash<std::string_view>{}(text.substr(0, part));
  if (text.size() <= part) return begin;
  const std::size_t end = std::hash<std::string_view>{}(text.substr(text.size() - part));
  return begin ^ (end * 31 + text.size());
}

void AnswerOrder::answered(PacketId id) {
  const PacketId first = overtaken_by(id);
  if (first != 0) overtaken_ = first;
  const auto place = std::ranges::find(ids_, id);
  if (place != ids_.end()) ids_.erase(place);
}

PacketId AnswerOrder::overtaken_by(PacketId id) const {
  if (ids_.empty() || ids_.front() == id || ids_.front() == overtaken_) return 0;
  return std::ranges::find(ids_, id) == ids_.end() ? PacketId{0} : ids_.front();
}

void KnownAliases::set(std::uint16_t alias, std::string_view topic) {
  std::string& known = topics_[alias];
  bytes_ -= known.size();
  if (bytes_ + topic.size() > alias_bytes_max) {
    incomplete_ = true;
    topic = {};
  }
  known = topic;
  bytes_ += known.size();
}

std::string_view KnownAliases::find(std::uint16_t alias) const {
  const auto known = topics_.find(alias);
  return known == topics_.end() ? std::string_view{} : known->second;
}

Duration FlowState::keep_alive() const {
  if (!connect) return {};
  const bool servers = connack && connack->server_keep_alive;
  return std::chrono::seconds{servers ? *connack->server_keep_alive : connect->keep_alive};
}

std::optional<Step> FlowState::answered(Sender sender, const PacketView& packet) const {
  const auto message = [&](Sender publisher, PacketId id, Stage stage) -> std::optional<Step> {
    const OpenMessage* open = find(side(publisher), id);
    return open && open->stage == stage ? std::optional{open->last} : std::nullopt;
  };
  const auto request = [&](PacketId id, PacketType type) -> std::optional<Step> {
    const auto open = requests.find(id);
    return open != requests.end() && open->second.type == type ? std::optional{open->second.step}
                                                               : std::nullopt;
  };
  switch (type_of(packet)) {
    case PacketType::connack: return connect && !connack ? std::optional{connect->step} : std::nullopt;
    case PacketType::puback:
      return message(other(sender), std::get<PubackView>(packet).packet_id, Stage::published);
    case PacketType::pubrec:
      return message(other(sender), std::get<PubrecView>(packet).packet_id, Stage::published);
    case PacketType::pubrel: return message(sender, std::get<PubrelView>(packet).packet_id, Stage::received);
    case PacketType::pubcomp:
      return message(other(sender), std::get<PubcompView>(packet).packet_id, Stage::released);
    case PacketType::suback: return request(std::get<SubackView>(packet).packet_id, PacketType::subscribe);
    case PacketType::unsuback:
      return request(std::get<UnsubackView>(packet).packet_id, PacketType::unsubscribe);
    case PacketType::pingresp: return pings.empty() ? std::nullopt : std::optional{pings.front()};
    default: return std::nullopt;
  }
}

void FlowState::apply(Sender sender, Step step, const PacketView& packet) {
  std::visit(Apply{*this, sender, step}, packet);
}

}  // namespace mqtt
