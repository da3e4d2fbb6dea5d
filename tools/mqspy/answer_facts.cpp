#include "mqspy/answer_facts.hpp"

#include <fmt/format.h>

namespace mq::spy {
namespace {

using mqtt::PacketType;
using mqtt::PropertyId;

/// A limit of CONNACK, and what is so without it; "none" where that depends on CONNECT or is no limit at all.
struct Limit {
  PropertyId id;
  std::string_view absent;
};
constexpr Limit announced[] = {
    {PropertyId::session_expiry_interval, "none"},
    {PropertyId::server_keep_alive, "none"},
    {PropertyId::receive_maximum, "65535"},
    {PropertyId::topic_alias_maximum, "0"},
    {PropertyId::maximum_qos, "2"},
    {PropertyId::retain_available, "1"},
    {PropertyId::maximum_packet_size, "none"},
    {PropertyId::wildcard_subscription_available, "1"},
    {PropertyId::subscription_identifier_available, "1"},
    {PropertyId::shared_subscription_available, "1"},
};

AnswerFact method_of(const mqtt::PropertiesView& properties) {
  const auto method = properties.text(PropertyId::authentication_method);
  return {"authentication_method", std::string{method.value_or("none")}};
}

struct Facts {
  mqtt::Version version;
  std::vector<AnswerFact> out{};

  void reason(mqtt::ReasonCode code, PacketType type) {
    out.push_back({"reason", std::string{reason_name(code, type)}});
  }

  void operator()(const mqtt::ConnackView& p) {
    if (version == mqtt::Version::v5)
      reason(p.reason, PacketType::connack);
    else
      out.push_back({"reason", std::string{to_string(p.return_code)}});
    out.push_back({"session_present", p.session_present ? "1" : "0"});
    if (version != mqtt::Version::v5) return;
    for (const Limit& limit : announced) {
      const auto number = p.properties.number(limit.id);
      out.push_back({mqtt::property_info(limit.id).key,
                     number ? fmt::format("{}", *number) : std::string{limit.absent}});
    }
    out.push_back(method_of(p.properties));
  }

  void operator()(const mqtt::PubackView& p) { reason(p.reason, PacketType::puback); }
  void operator()(const mqtt::PubrecView& p) { reason(p.reason, PacketType::pubrec); }
  void operator()(const mqtt::PubrelView& p) { reason(p.reason, PacketType::pubrel); }
  void operator()(const mqtt::PubcompView& p) { reason(p.reason, PacketType::pubcomp); }
  void operator()(const mqtt::DisconnectView& p) { reason(p.reason, PacketType::disconnect); }
  void operator()(const mqtt::AuthView& p) {
    reason(p.reason, PacketType::auth);
    out.push_back(method_of(p.properties));
  }

  void reasons(mqtt::Bytes codes, PacketType type) {
    std::string names;
    for (const std::uint8_t code : codes) {
      if (!names.empty()) names += ", ";
      names += reason_name(static_cast<mqtt::ReasonCode>(code), type);
    }
    out.push_back({"reasons", std::move(names)});
  }
  void operator()(const mqtt::SubackView& p) { reasons(p.reasons, PacketType::suback); }
  void operator()(const mqtt::UnsubackView& p) { reasons(p.reasons, PacketType::unsuback); }

  void operator()(const auto&) {}
};

}  // namespace

std::vector<AnswerFact> answer_facts(const mqtt::PacketView& packet, mqtt::Version version) {
  Facts facts{version};
  std::visit(facts, packet);
  return std::move(facts.out);
}

}  // namespace mq::spy
