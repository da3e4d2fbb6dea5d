#include <mqtt/inspect/describe.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include <mqtt/codec/encode.hpp>
#include <mqtt/inspect/shown.hpp>

namespace mqtt {
namespace {

/// The short word for a property in a line; those with a form of their own are written elsewhere.
std::string_view short_name(PropertyId id) {
  switch (id) {
    case PropertyId::payload_format_indicator: return "pfi";
    case PropertyId::message_expiry_interval: return "exp";
    case PropertyId::content_type: return "ct";
    case PropertyId::response_topic: return "rt";
    case PropertyId::correlation_data: return "cd";
    case PropertyId::subscription_identifier: return "sid";
    case PropertyId::session_expiry_interval: return "sei";
    case PropertyId::assigned_client_identifier: return "id";
    case PropertyId::server_keep_alive: return "ka";
    case PropertyId::authentication_method: return "auth";
    case PropertyId::authentication_data: return "data";
    case PropertyId::request_problem_information: return "rpi";
    case PropertyId::will_delay_interval: return "delay";
    case PropertyId::request_response_information: return "rri";
    case PropertyId::response_information: return "ri";
    case PropertyId::server_reference: return "ref";
    case PropertyId::reason_string: return "reason";
    case PropertyId::receive_maximum: return "rm";
    case PropertyId::topic_alias_maximum: return "tam";
    case PropertyId::topic_alias: return "@";
    case PropertyId::maximum_qos: return "maxqos";
    case PropertyId::retain_available: return "retain";
    case PropertyId::user_property: return "up";
    case PropertyId::maximum_packet_size: return "mps";
    case PropertyId::wildcard_subscription_available: return "wild";
    case PropertyId::subscription_identifier_available: return "subid";
    case PropertyId::shared_subscription_available: return "shared";
  }
  return "?";
}

class Describer {
 public:
  Describer(std::string& out, Version version, DescribeOptions options)
      : out_{out}, version_{version}, options_{options} {}

  void write(const PacketView& packet) {
    constexpr std::size_t type_column = 8;
    const std::string_view type = to_string(type_of(packet));
    out_ += type;
    out_.append(type_column - std::min(type.size(), type_column), ' ');
    std::visit([this](const auto& p) { fields(p); }, packet);
    if (options_.body_read) return word("broken {}B", options_.size);
    if (std::holds_alternative<PublishView>(packet)) return;
    number("", options_.size > 0 ? options_.size : encoded_size(packet, version_).value_or(0), "B");
  }

 private:
  /// Of a packet that could not be read to its end: whether so many bytes of its body were.
  [[nodiscard]] bool has(std::uint32_t bytes) const { return bytes <= options_.body_read.value_or(bytes); }

  template <class... Args>
  void word(fmt::format_string<Args...> format, Args&&... args) {
    out_.push_back(' ');
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void text(std::string_view word) { (out_ += ' ') += word; }

  /// A packet's line has several, and a capture millions of lines.
  void number(std::string_view before, std::uint64_t value, std::string_view after = {}) {
    const fmt::format_int digits{value};
    ((out_ += ' ') += before).append(digits.data(), digits.size()) += after;
  }

  [[nodiscard]] std::string secret(std::string_view text) const {
    return options_.show_secrets ? shown(text) : "***";
  }

  void properties(PropertiesView list) {
    for (const PropertyView& p : list) {
      if (p.id == PropertyId::topic_alias) continue;  // stands with the topic
      if (p.id == PropertyId::user_property)
        word("up{{{}={}}}", shown(p.key), shown(p.text));
      else if (p.id == PropertyId::authentication_data)
        word("data={}", secret(p.text));
      else if (const PropertyType type = property_info(p.id).type;
               type == PropertyType::utf8_string || type == PropertyType::binary_data)
        word("{}={}", short_name(p.id), shown(p.text));
      else
        word("{}={}", short_name(p.id), p.number);
    }
  }

  void reason(ReasonCode code, PacketType type) {
    if (code == ReasonCode::success)
      text("ok");
    else
      word("{}(0x{:02x})", reason_name(code, type), static_cast<unsigned>(code));
  }

  void fields(const ConnectView& p) {
    word("v{}", p.version == Version::v5 ? "5" : to_string(p.version));
    if (!p.client_id.empty()) word("id={}", shown(p.client_id));
    if (p.user_name) word("user={}", shown(*p.user_name));
    if (p.password) word("pass={}", secret(as_text(*p.password)));
    if (p.clean_start) text("clean");
    if (has(p.version == Version::v3_1 ? 12 : 10)) word("ka={}", p.keep_alive);
    properties(p.properties);
    if (!p.will || (options_.body_read && p.will->topic.empty())) return;
    word("will{{q{}{} {} {}B", to_number(p.will->qos), p.will->retain ? " retain" : "", shown(p.will->topic),
         p.will->payload.size());
    properties(p.will->properties);
    out_.push_back('}');
  }

  void fields(const ConnackView& p) {
    if (!has(2)) return;
    if (version_ == Version::v5 || p.reason == ReasonCode::success)
      reason(p.reason, PacketType::connack);
    else
      word("{}({})", to_string(p.return_code), static_cast<unsigned>(p.return_code));
    word("sp={}", p.session_present ? 1 : 0);
    properties(p.properties);
  }

  void fields(const PublishView& p) {
    number("q", to_number(p.qos));
    if (p.dup) text("dup");
    if (p.retain) text("retain");
    if (p.packet_id != 0) number("#", p.packet_id);
    topic(p);
    properties(p.properties);
    if (options_.body_read) return;
    number("", p.payload.size() + options_.left_out, "B");
    if (!p.payload.empty()) text(preview(p.payload));
  }

  void topic(const PublishView& p) {
    const std::optional<std::uint32_t> alias = p.properties.number(PropertyId::topic_alias);
    if (!alias && p.topic.empty() && options_.body_read) return;
    if (!alias) return text(p.topic.empty() ? "\"\"" : shown(p.topic));
    if (!p.topic.empty()) return word("@{}:={}", *alias, shown(p.topic));
    if (options_.topic.empty()) return word("@{}?", *alias);
    word("{}(@{})", shown(options_.topic), *alias);
  }

  [[nodiscard]] std::string preview(Bytes payload) const {
    const Bytes shown = payload.first(std::min(payload.size(), options_.payload_preview_bytes));
    return escape_for_terminal(as_text(shown)) +
           (shown.size() < payload.size() + options_.left_out ? "…" : "");
  }

  void id(PacketId id) {
    if (has(2)) number("#", id);
  }

  void ack(const AckView& p, PacketType type) {
    id(p.packet_id);
    if (has(3)) reason(p.reason, type);
    properties(p.properties);
  }
  void fields(const PubackView& p) { ack(p, PacketType::puback); }
  void fields(const PubrecView& p) { ack(p, PacketType::pubrec); }
  void fields(const PubrelView& p) { ack(p, PacketType::pubrel); }
  void fields(const PubcompView& p) { ack(p, PacketType::pubcomp); }

  void fields(const SubscribeView& p) {
    id(p.packet_id);
    properties(p.properties);
    for (const SubscriptionView& s : p.subscriptions) {
      word("{}:q{}", shown(s.filter), to_number(s.options.qos));
      if (s.options.no_local) out_ += ",nl";
      if (s.options.retain_as_published) out_ += ",rap";
      if (s.options.retain_handling != RetainHandling::send)
        fmt::format_to(std::back_inserter(out_), ",rh{}", static_cast<unsigned>(s.options.retain_handling));
    }
  }

  void fields(const UnsubscribeView& p) {
    id(p.packet_id);
    properties(p.properties);
    for (const SubscriptionView& s : p.filters) text(shown(s.filter));
  }

  void reasons(PacketId packet_id, PropertiesView list, Bytes codes, PacketType type) {
    id(packet_id);
    for (const std::uint8_t code : codes) {
      if (type == PacketType::suback && code <= 2)
        word("q{}", code);
      else
        reason(static_cast<ReasonCode>(code), type);
    }
    properties(list);
  }
  void fields(const SubackView& p) { reasons(p.packet_id, p.properties, p.reasons, PacketType::suback); }
  void fields(const UnsubackView& p) { reasons(p.packet_id, p.properties, p.reasons, PacketType::unsuback); }

  void fields(const PingreqView&) {}
  void fields(const PingrespView&) {}

  void fields(const DisconnectView& p) {
    if (has(1)) reason(p.reason, PacketType::disconnect);
    properties(p.properties);
  }
  void fields(const AuthView& p) {
    if (has(1)) reason(p.reason, PacketType::auth);
    properties(p.properties);
  }

  std::string& out_;
  Version version_;
  DescribeOptions options_;
};

}  // namespace

void append_description(std::string& out, const PacketView& packet, Version version,
                        DescribeOptions options) {
  Describer{out, version, options}.write(packet);
}

}  // namespace mqtt
