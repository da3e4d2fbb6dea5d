#include <optional>

#include <mqtt/util/base64.hpp>
#include <mqtt/util/utf8.hpp>

#include "mqspy/json_records.hpp"
#include "mqspy/redaction.hpp"

namespace mq::spy {
namespace {

using mqtt::PacketType;

class PacketJson {
 public:
  PacketJson(JsonWriter& json, const mqtt::FlowPacket& packet, const View& view)
      : json_{json}, packet_{packet}, view_{view} {}

  void write() {
    const auto type = static_cast<PacketType>(packet_.bytes[0] >> 4);
    json_.field("type", mqtt::to_string(type));
    json_.field("ver", static_cast<unsigned>(packet_.version));
    json_.field("len", packet_.size());
    unless_zero("left_out", packet_.left_out);
    flag("broken", packet_.broken != nullptr);
    if (const mqtt::PacketView* const readable = packet_.readable())
      std::visit([this](const auto& p) { fields(p); }, *readable);
    if (view_.raw) raw();
  }

 private:
  void raw() {
    json_.key("raw");
    const std::string shown = view_.show_secrets ? mqtt::to_string(packet_.bytes)
                                                 : redacted(packet_.bytes, {packet_.version, packet_.sender});
    json_.begin_object();
    json_.field("len", packet_.size());
    json_.field("enc", "b64");
    json_.key("data");
    json_.base64(mqtt::as_bytes(shown));
    json_.end_object();
  }

  /// It could not be read to its end.
  [[nodiscard]] bool lost() const { return packet_.broken && packet_.broken->body_read; }

  void secret(std::string_view name, std::string_view value) {
    json_.key(name);
    if (view_.show_secrets) return write_bytes(json_, mqtt::as_bytes(value));
    json_.begin_object();
    json_.field("len", value.size());
    json_.field("enc", "redacted");
    json_.end_object();
  }

  /// Only a broken packet has strings that are no text.
  void string(std::string_view text) {
    if (!packet_.broken || mqtt::is_mqtt_utf8(mqtt::as_bytes(text))) return json_.string(text);
    json_.string("base64:" + mqtt::to_base64(mqtt::as_bytes(text)));
  }
  void text(std::string_view name, std::string_view value) {
    json_.key(name);
    string(value);
  }

  void flag(std::string_view name, bool set) {
    if (set) json_.field(name, true);
  }
  template <class T>
  void unless_zero(std::string_view name, T value) {
    if (value != 0) json_.field(name, value);
  }

  void properties(mqtt::PropertiesView list) {
    if (list.empty()) return;
    json_.key("props");
    json_.begin_object();
    for (const mqtt::PropertyView& p : list) single(p);
    subscription_identifiers(list);
    user_properties(list);
    json_.end_object();
  }

  void single(const mqtt::PropertyView& p) {
    using enum mqtt::PropertyId;
    using enum mqtt::PropertyType;
    if (p.id == user_property || p.id == subscription_identifier) return;
    const mqtt::PropertyInfo& info = mqtt::property_info(p.id);
    if (p.id == authentication_data) return secret(info.key, p.text);
    json_.key(info.key);
    if (info.type == binary_data) return write_bytes(json_, mqtt::as_bytes(p.text));
    if (info.type == utf8_string) return string(p.text);
    json_.number(p.number);
  }

  void subscription_identifiers(mqtt::PropertiesView list) {
    if (!list.find(mqtt::PropertyId::subscription_identifier)) return;
    json_.key("subscription_identifiers");
    json_.begin_array();
    for (const mqtt::PropertyView& p : list)
      if (p.id == mqtt::PropertyId::subscription_identifier) json_.number(p.number);
    json_.end_array();
  }

  void user_properties(mqtt::PropertiesView list) {
    if (!list.find(mqtt::PropertyId::user_property)) return;
    json_.key("user_properties");
    json_.begin_array();
    for (const mqtt::PropertyView& p : list) {
      if (p.id != mqtt::PropertyId::user_property) continue;
      json_.begin_array();
      string(p.key);
      string(p.text);
      json_.end_array();
    }
    json_.end_array();
  }

  void reason(mqtt::ReasonCode code, PacketType type) {
    if (code == mqtt::ReasonCode::success) return;
    json_.field("reason", static_cast<unsigned>(code));
    json_.field("reason_name", mqtt::reason_name(code, type));
  }

  void fields(const mqtt::ConnectView& p) {
    if (!lost() || !p.client_id.empty()) text("client_id", p.client_id);
    flag("clean_start", p.clean_start);
    unless_zero("keep_alive", p.keep_alive);
    if (p.user_name) text("user_name", *p.user_name);
    if (p.password) secret("password", mqtt::as_text(*p.password));
    properties(p.properties);
    if (!p.will) return;
    json_.key("will");
    json_.begin_object();
    text("topic", p.will->topic);
    unless_zero("qos", mqtt::to_number(p.will->qos));
    flag("retain", p.will->retain);
    payload(p.will->payload, 0);
    properties(p.will->properties);
    json_.end_object();
  }

  void fields(const mqtt::ConnackView& p) {
    flag("session_present", p.session_present);
    if (packet_.version == mqtt::Version::v5) {
      reason(p.reason, PacketType::connack);
    } else if (p.return_code != mqtt::ConnectReturnCode::accepted) {
      json_.field("reason", static_cast<unsigned>(p.return_code));
      json_.field("reason_name", mqtt::to_string(p.return_code));
    }
    properties(p.properties);
  }

  void payload(mqtt::Bytes bytes, std::uint64_t left_out) {
    if (bytes.empty()) return;
    json_.key("payload");
    write_bytes(json_, bytes, left_out);
  }

  void fields(const mqtt::PublishView& p) {
    flag("dup", p.dup);
    unless_zero("qos", mqtt::to_number(p.qos));
    flag("retain", p.retain);
    unless_zero("id", p.packet_id);
    if (!packet_.topic.empty()) text("topic", packet_.topic);
    flag("topic_by_alias", p.topic.empty() && !packet_.topic.empty());
    properties(p.properties);
    payload(p.payload, packet_.left_out);
  }

  void ack(const mqtt::AckView& p, PacketType type) {
    unless_zero("id", p.packet_id);
    reason(p.reason, type);
    properties(p.properties);
  }
  void fields(const mqtt::PubackView& p) { ack(p, PacketType::puback); }
  void fields(const mqtt::PubrecView& p) { ack(p, PacketType::pubrec); }
  void fields(const mqtt::PubrelView& p) { ack(p, PacketType::pubrel); }
  void fields(const mqtt::PubcompView& p) { ack(p, PacketType::pubcomp); }

  void fields(const mqtt::SubscribeView& p) {
    unless_zero("id", p.packet_id);
    properties(p.properties);
    if (p.subscriptions.count() == 0) return;
    json_.key("filters");
    json_.begin_array();
    for (const mqtt::SubscriptionView& s : p.subscriptions) {
      json_.begin_object();
      text("filter", s.filter);
      unless_zero("qos", mqtt::to_number(s.options.qos));
      flag("no_local", s.options.no_local);
      flag("retain_as_published", s.options.retain_as_published);
      unless_zero("retain_handling", static_cast<unsigned>(s.options.retain_handling));
      json_.end_object();
    }
    json_.end_array();
  }

  void fields(const mqtt::UnsubscribeView& p) {
    unless_zero("id", p.packet_id);
    properties(p.properties);
    if (p.filters.count() == 0) return;
    json_.key("filters");
    json_.begin_array();
    for (const mqtt::SubscriptionView& s : p.filters) {
      json_.begin_object();
      text("filter", s.filter);
      json_.end_object();
    }
    json_.end_array();
  }

  void reasons(mqtt::PacketId id, mqtt::Bytes codes, mqtt::PropertiesView list) {
    unless_zero("id", id);
    json_.key("reasons");
    json_.begin_array();
    for (const std::uint8_t code : codes) json_.number(code);
    json_.end_array();
    properties(list);
  }
  void fields(const mqtt::SubackView& p) { reasons(p.packet_id, p.reasons, p.properties); }
  void fields(const mqtt::UnsubackView& p) { reasons(p.packet_id, p.reasons, p.properties); }

  void fields(const mqtt::PingreqView&) {}
  void fields(const mqtt::PingrespView&) {}

  void fields(const mqtt::DisconnectView& p) {
    reason(p.reason, PacketType::disconnect);
    properties(p.properties);
  }
  void fields(const mqtt::AuthView& p) {
    reason(p.reason, PacketType::auth);
    properties(p.properties);
  }

  JsonWriter& json_;
  const mqtt::FlowPacket& packet_;
  const View& view_;
};

}  // namespace

void write_bytes(JsonWriter& json, mqtt::Bytes bytes, std::uint64_t left_out) {
  const bool text = mqtt::is_mqtt_utf8(bytes);
  json.begin_object();
  json.field("len", bytes.size() + left_out);
  json.field("enc", text ? "utf8" : "b64");
  json.key("data");
  if (text)
    json.string(mqtt::as_text(bytes));
  else
    json.base64(bytes);
  json.end_object();
}

void write_packet(JsonWriter& json, const mqtt::FlowPacket& packet, const View& view) {
  PacketJson{json, packet, view}.write();
}

}  // namespace mq::spy
