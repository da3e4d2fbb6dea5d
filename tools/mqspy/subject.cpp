#include "mqspy/subject.hpp"

#include <fmt/format.h>

#include <type_traits>
#include <utility>

namespace mq::spy {
namespace {

using mqtt::Sender;
using Test = Subject::Test;

double as_number(auto value) { return static_cast<double>(value); }

double microseconds(mqtt::Duration duration) {
  return as_number(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

bool with_text(const Test& test, std::string_view text) { return test({.text = text}); }
bool with_number(const Test& test, double number) { return test({.number = number}); }
bool with_flag(const Test& test, bool flag) { return with_number(test, flag ? 1 : 0); }
bool with_bytes(const FieldName& name, const Test& test, std::string_view bytes, std::uint64_t left_out = 0) {
  return name.length ? with_number(test, as_number(bytes.size() + left_out)) : with_text(test, bytes);
}
bool with_time(const Test& test, mqtt::TimePoint time) {
  return with_number(test, microseconds(time.time_since_epoch()));
}

std::string_view word(Sender sender) { return sender == Sender::client ? "c2s" : "s2c"; }
std::string_view name(Sender sender) { return sender == Sender::client ? "client" : "server"; }

std::string_view name(mqtt::Severity severity) {
  using enum mqtt::Severity;
  return severity == error ? "error" : severity == warning ? "warning" : "info";
}

std::string_view name(mqtt::FlowClose::How how) {
  using enum mqtt::FlowClose::How;
  return how == fin ? "fin" : how == reset ? "reset" : "unknown";
}

bool with_version(const Test& test, mqtt::Version version) {
  return test({.number = as_number(version), .text = to_string(version)});
}

/// Of all records of a connection.
bool with_link(SelectorField field, const Link& link, const Test& test) {
  switch (field) {
    case SelectorField::connection: return with_text(test, fmt::format("c{}", link.number));
    case SelectorField::client: return !link.client.empty() && with_text(test, link.client);
    case SelectorField::server: return !link.server.empty() && with_text(test, link.server);
    case SelectorField::transport: return !link.transport.empty() && with_text(test, link.transport);
    default: return false;
  }
}

bool with_packets(const Test& test, const mqtt::FlowState& state, Sender sender) {
  return with_number(test, as_number(state.side(sender).packets));
}

bool with_client_id(const Test& test, const mqtt::FlowState& state) {
  if (!state.connect) return false;
  const bool assigned = state.connect->client_id.empty() && state.connack && state.connack->assigned_id;
  return with_text(test, assigned ? *state.connack->assigned_id : state.connect->client_id);
}

bool with_finding(const FieldName& name_, const mqtt::Finding& finding, const Test& test) {
  switch (name_.field) {
    case SelectorField::lint: return with_text(test, finding.clause);
    case SelectorField::severity: return with_text(test, name(finding.severity));
    case SelectorField::side: return with_text(test, name(finding.side));
    case SelectorField::offset: return with_number(test, finding.offset);
    case SelectorField::bytes: return with_number(test, finding.size);
    case SelectorField::other: return finding.other != 0 && with_number(test, as_number(finding.other));
    case SelectorField::message: return with_text(test, finding.text);
    default: return false;
  }
}

bool with_findings(const FieldName& name_, std::span<const mqtt::Finding> findings, const Test& test) {
  for (const mqtt::Finding& finding : findings)
    if (with_finding(name_, finding, test)) return true;
  return false;
}

/// The parts of one packet.
class Parts {
 public:
  Parts(const PacketRecord& record, const FieldName& name, const Test& test)
      : record_{record}, name_{name}, test_{test} {}

  bool any(const mqtt::ConnectView& p) const {
    switch (name_.field) {
      case SelectorField::user_name: return p.user_name && with_text(test_, *p.user_name);
      case SelectorField::clean_start: return with_flag(test_, p.clean_start);
      case SelectorField::keep_alive: return with_number(test_, p.keep_alive);
      case SelectorField::password: return p.password && with_bytes(name_, test_, mqtt::as_text(*p.password));
      case SelectorField::property: return any_property(p.properties);
      default: return p.will && any(*p.will);
    }
  }

  bool any(const mqtt::WillView& will) const {
    switch (name_.field) {
      case SelectorField::will: return with_flag(test_, true);
      case SelectorField::will_topic: return with_text(test_, will.topic);
      case SelectorField::will_qos: return with_number(test_, to_number(will.qos));
      case SelectorField::will_retain: return with_flag(test_, will.retain);
      case SelectorField::will_payload: return with_bytes(name_, test_, mqtt::as_text(will.payload));
      case SelectorField::will_property: return any_listed(will.properties);
      default: return false;
    }
  }

  bool any(const mqtt::ConnackView& p) const {
    if (name_.field == SelectorField::session_present) return with_flag(test_, p.session_present);
    if (name_.field == SelectorField::reason && record_.packet.version != mqtt::Version::v5)
      return test_({.number = as_number(p.return_code), .text = to_string(p.return_code)});
    return any_coded(p.reason, p.properties, mqtt::PacketType::connack);
  }

  bool any(const mqtt::PublishView& p) const {
    switch (name_.field) {
      case SelectorField::qos: return with_number(test_, to_number(p.qos));
      case SelectorField::dup: return with_flag(test_, p.dup);
      case SelectorField::retain: return with_flag(test_, p.retain);
      case SelectorField::packet_id: return p.packet_id != 0 && with_number(test_, p.packet_id);
      case SelectorField::topic: return with_text(test_, record_.packet.topic);
      case SelectorField::topic_by_alias:
        return with_flag(test_, p.topic.empty() && !record_.packet.topic.empty());
      case SelectorField::payload:
        return with_bytes(name_, test_, mqtt::as_text(p.payload), record_.packet.left_out);
      default: return any_property(p.properties);
    }
  }

  bool any(const mqtt::PubackView& p) const { return any_ack(p, mqtt::PacketType::puback); }
  bool any(const mqtt::PubrecView& p) const { return any_ack(p, mqtt::PacketType::pubrec); }
  bool any(const mqtt::PubrelView& p) const { return any_ack(p, mqtt::PacketType::pubrel); }
  bool any(const mqtt::PubcompView& p) const { return any_ack(p, mqtt::PacketType::pubcomp); }

  bool any(const mqtt::SubscribeView& p) const {
    switch (name_.field) {
      case SelectorField::filter:
      case SelectorField::qos:
      case SelectorField::filter_qos:
      case SelectorField::filter_no_local:
      case SelectorField::filter_retain_as_published:
      case SelectorField::filter_retain_handling: return any_subscription(p.subscriptions);
      default: return any_request(p.packet_id, p.properties);
    }
  }
  bool any(const mqtt::UnsubscribeView& p) const {
    if (name_.field == SelectorField::filter) return any_subscription(p.filters);
    return any_request(p.packet_id, p.properties);
  }
  bool any(const mqtt::SubackView& p) const { return any_list(p, mqtt::PacketType::suback); }
  bool any(const mqtt::UnsubackView& p) const { return any_list(p, mqtt::PacketType::unsuback); }

  bool any(const mqtt::PingreqView&) const { return false; }
  bool any(const mqtt::PingrespView&) const { return false; }
  bool any(const mqtt::DisconnectView& p) const {
    return any_coded(p.reason, p.properties, mqtt::PacketType::disconnect);
  }
  bool any(const mqtt::AuthView& p) const {
    return any_coded(p.reason, p.properties, mqtt::PacketType::auth);
  }

 private:
  [[nodiscard]] bool any_property(mqtt::PropertiesView properties) const {
    return name_.field == SelectorField::property && any_listed(properties);
  }

  [[nodiscard]] bool any_listed(mqtt::PropertiesView properties) const {
    for (const mqtt::PropertyView& each : properties) {
      if (each.id != name_.property || (!name_.key.empty() && each.key != name_.key)) continue;
      const auto type = mqtt::property_info(each.id).type;
      const bool has_text = type == mqtt::PropertyType::utf8_string ||
                            type == mqtt::PropertyType::binary_data ||
                            type == mqtt::PropertyType::utf8_string_pair;
      if (has_text ? with_bytes(name_, test_, each.text) : with_number(test_, each.number)) return true;
    }
    return false;
  }

  [[nodiscard]] bool with_reason(mqtt::ReasonCode code, mqtt::PacketType type) const {
    return test_({.number = as_number(code), .text = reason_name(code, type)});
  }

  [[nodiscard]] bool any_coded(mqtt::ReasonCode code, mqtt::PropertiesView properties,
                               mqtt::PacketType type) const {
    return name_.field == SelectorField::reason ? with_reason(code, type) : any_property(properties);
  }

  [[nodiscard]] bool any_ack(const mqtt::AckView& p, mqtt::PacketType type) const {
    if (name_.field == SelectorField::packet_id) return with_number(test_, p.packet_id);
    return any_coded(p.reason, p.properties, type);
  }

  [[nodiscard]] bool any_request(mqtt::PacketId id, mqtt::PropertiesView properties) const {
    return name_.field == SelectorField::packet_id ? with_number(test_, id) : any_property(properties);
  }

  [[nodiscard]] bool any_subscription(const mqtt::SubscriptionsView& list) const {
    for (const mqtt::SubscriptionView& each : list)
      if (with_part(each)) return true;
    return false;
  }

  [[nodiscard]] bool with_part(const mqtt::SubscriptionView& each) const {
    switch (name_.field) {
      case SelectorField::filter: return with_text(test_, each.filter);
      case SelectorField::filter_no_local: return with_flag(test_, each.options.no_local);
      case SelectorField::filter_retain_as_published:
        return with_flag(test_, each.options.retain_as_published);
      case SelectorField::filter_retain_handling:
        return with_number(test_, as_number(each.options.retain_handling));
      default: return with_number(test_, to_number(each.options.qos));
    }
  }

  template <class List>
  [[nodiscard]] bool any_list(const List& p, mqtt::PacketType type) const {
    if (name_.field != SelectorField::reason) return any_request(p.packet_id, p.properties);
    for (const std::uint8_t code : p.reasons)
      if (with_reason(static_cast<mqtt::ReasonCode>(code), type)) return true;
    return false;
  }

  const PacketRecord& record_;
  const FieldName& name_;
  const Test& test_;
};

/// The first byte tells what a packet is, or was meant to be.
std::string_view type_of(const mqtt::FlowPacket& packet) {
  return packet.bytes.empty() ? "" : to_string(static_cast<mqtt::PacketType>(packet.bytes[0] >> 4));
}

}  // namespace

bool OpenSubject::any(const FieldName& name_, const Test& test) const {
  switch (name_.field) {
    case SelectorField::kind: return with_text(test, "open");
    case SelectorField::partial: return with_flag(test, record_.link.partial);
    case SelectorField::time: return with_time(test, record_.link.opened);
    default: return with_link(name_.field, record_.link, test);
  }
}

bool PacketSubject::any(const FieldName& name_, const Test& test) const {
  const mqtt::FlowPacket& packet = record_.packet;
  switch (name_.field) {
    case SelectorField::kind: return with_text(test, "pkt");
    case SelectorField::number: return with_number(test, as_number(packet.step.number));
    case SelectorField::connection:
    case SelectorField::client:
    case SelectorField::server:
    case SelectorField::transport: return with_link(name_.field, record_.link, test);
    case SelectorField::time: return with_time(test, packet.step.time);
    case SelectorField::direction: return with_text(test, word(packet.sender));
    case SelectorField::type: return with_text(test, type_of(packet));
    case SelectorField::version: return with_version(test, packet.version);
    case SelectorField::length: return with_number(test, as_number(packet.size()));
    case SelectorField::raw: return with_bytes(name_, test, mqtt::as_text(packet.bytes), packet.left_out);
    case SelectorField::answers:
      return packet.answers && with_number(test, as_number(packet.answers->number));
    case SelectorField::broken: return with_flag(test, packet.broken != nullptr);
    case SelectorField::left_out: return packet.left_out > 0 && with_number(test, as_number(packet.left_out));
    case SelectorField::inflight_from_client:
      return with_number(test, as_number(record_.in_flight.from_client));
    case SelectorField::inflight_from_server:
      return with_number(test, as_number(record_.in_flight.from_server));
    case SelectorField::round_trip:
      return record_.latency() && with_number(test, microseconds(*record_.latency()));
    case SelectorField::client_id: return with_client_id(test, record_.state);
    case SelectorField::lint:
    case SelectorField::severity:
    case SelectorField::side:
    case SelectorField::offset:
    case SelectorField::bytes:
    case SelectorField::other:
    case SelectorField::message: return with_findings(name_, record_.findings, test);
    default: break;
  }
  const mqtt::PacketView* const readable = packet.readable();
  if (!readable) return false;
  return std::visit([parts = Parts{record_, name_, test}](const auto& p) { return parts.any(p); }, *readable);
}

bool FindingSubject::any(const FieldName& name_, const Test& test) const {
  switch (name_.field) {
    case SelectorField::kind: return with_text(test, "lint");
    case SelectorField::number: return with_number(test, as_number(finding_.packet.number));
    case SelectorField::connection:
    case SelectorField::client:
    case SelectorField::server:
    case SelectorField::transport: return with_link(name_.field, link_, test);
    case SelectorField::version: return with_version(test, finding_.version);
    case SelectorField::client_id: return with_client_id(test, state_);
    default: return with_finding(name_, finding_, test);
  }
}

bool CloseSubject::any(const FieldName& name_, const Test& test) const {
  switch (name_.field) {
    case SelectorField::kind: return with_text(test, "close");
    case SelectorField::connection:
    case SelectorField::client:
    case SelectorField::server:
    case SelectorField::transport: return with_link(name_.field, record_.link, test);
    case SelectorField::time: return with_time(test, record_.close.time);
    case SelectorField::version: return with_version(test, record_.state.version);
    case SelectorField::client_id: return with_client_id(test, record_.state);
    case SelectorField::closed_by: return record_.close.by && with_text(test, name(*record_.close.by));
    case SelectorField::how: return with_text(test, name(record_.close.how));
    case SelectorField::life:
      return with_number(test, microseconds(record_.close.time - record_.link.opened));
    case SelectorField::packets_from_client: return with_packets(test, record_.state, Sender::client);
    case SelectorField::packets_from_server: return with_packets(test, record_.state, Sender::server);
    case SelectorField::why: return with_text(test, record_.cause);
    case SelectorField::message:
      return with_text(test, record_.why) || with_findings(name_, record_.findings, test);
    case SelectorField::last_lint: return record_.last_error && with_text(test, record_.last_error->clause);
    default: return with_findings(name_, record_.findings, test);
  }
}

bool GapSubject::any(const FieldName& name_, const Test& test) const {
  switch (name_.field) {
    case SelectorField::kind: return with_text(test, "gap");
    case SelectorField::time: return with_time(test, record_.time);
    case SelectorField::direction: return with_text(test, word(record_.sender));
    case SelectorField::bytes: return record_.bytes > 0 && with_number(test, as_number(record_.bytes));
    default: return with_link(name_.field, record_.link, test);
  }
}

bool FaultSubject::any(const FieldName& name_, const Test& test) const {
  switch (name_.field) {
    case SelectorField::kind: return with_text(test, "fault");
    case SelectorField::number: return record_.packet != 0 && with_number(test, as_number(record_.packet));
    case SelectorField::time: return with_time(test, record_.time);
    case SelectorField::direction: return with_text(test, word(record_.sender));
    case SelectorField::rule: return with_text(test, record_.rule);
    case SelectorField::action: return with_text(test, record_.action);
    case SelectorField::original: return with_bytes(name_, test, mqtt::as_text(record_.original));
    case SelectorField::sent: return with_bytes(name_, test, mqtt::as_text(record_.sent));
    default: return with_link(name_.field, record_.link, test);
  }
}

bool NoteSubject::any(const FieldName& name_, const Test& test) const {
  switch (name_.field) {
    case SelectorField::kind: return with_text(test, "note");
    case SelectorField::time: return record_.time && with_time(test, *record_.time);
    case SelectorField::message: return with_text(test, record_.text);
    default: return record_.link && with_link(name_.field, *record_.link, test);
  }
}

}  // namespace mq::spy
