#include "packet_text.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include <mqtt/util/text.hpp>

namespace mqtt::test {
namespace {

/// "0x87" or "135".
std::optional<std::uint32_t> number(std::string_view text) {
  if (!text.starts_with("0x")) return parse_number<std::uint32_t>(text);
  std::uint32_t value = 0;
  const auto [end, fault] = std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
  return fault == std::errc{} && end == text.data() + text.size() ? std::optional{value} : std::nullopt;
}

/// "x*5000" stands for five thousand x.
std::string expand(std::string_view text) {
  const auto star = text.rfind('*');
  const auto times = star == std::string_view::npos ? std::nullopt : number(text.substr(star + 1));
  if (!times || star == 0) return std::string{text};
  std::string out;
  for (std::uint32_t i = 0; i < *times; ++i) out.append(text.substr(0, star));
  return out;
}

bool add_property(Properties& properties, std::string_view name, std::string_view value) {
  const PropertyInfo* info = find_property(name);
  if (!info) return false;
  switch (info->type) {
    case PropertyType::utf8_string:
    case PropertyType::binary_data: return properties.add(info->id, expand(value));
    case PropertyType::utf8_string_pair: {
      const auto colon = std::min(value.find(':'), value.size() - 1);
      return properties.add_user_property(value.substr(0, colon), expand(value.substr(colon + 1)));
    }
    default: break;
  }
  const auto parsed = number(value);
  if (parsed) properties.add(info->id, *parsed);
  return parsed.has_value();
}

std::string describe(PropertiesView properties, std::string_view prefix = "") {
  std::string out;
  for (const PropertyView& p : properties) {
    const PropertyInfo& info = property_info(p.id);
    out += fmt::format(" {}{}=", prefix, info.key);
    if (info.type == PropertyType::utf8_string_pair)
      out += fmt::format("{}:{}", p.key, p.text);
    else if (info.type == PropertyType::utf8_string || info.type == PropertyType::binary_data)
      out += p.text;
    else
      out += std::to_string(p.number);
  }
  return out;
}

std::string flag(bool set, std::string_view text) { return set ? fmt::format(" {}", text) : ""; }

std::string describe_reason(ReasonCode reason) {
  return reason == ReasonCode::success ? "" : fmt::format(" rc=0x{:02x}", static_cast<unsigned>(reason));
}

std::string describe_codes(Bytes codes) {
  std::string out;
  for (const std::uint8_t code : codes) out += fmt::format("{}0x{:02x}", out.empty() ? " rc=" : ",", code);
  return out;
}

/// One line being taken apart: what a reader asked for is gone, what is left over is a mistake.
class Line {
 public:
  explicit Line(std::string_view text) : tokens_{split(text, ' ')} {
    std::erase(tokens_, "");
    if (!tokens_.empty()) {
      name_ = tokens_.front();
      tokens_.erase(tokens_.begin());
    }
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  bool flag(std::string_view name) { return std::erase(tokens_, name) > 0; }
  std::optional<std::string> value(std::string_view key) {
    const auto prefix = fmt::format("{}=", key);
    const auto at = std::ranges::find_if(tokens_, [&](const auto& t) { return t.starts_with(prefix); });
    if (at == tokens_.end()) return std::nullopt;
    std::string found = at->substr(prefix.size());
    tokens_.erase(at);
    return found;
  }
  std::uint32_t number_or(std::string_view key, std::uint32_t otherwise) {
    const auto text = value(key);
    if (!text) return otherwise;
    const auto parsed = number(*text);
    if (!parsed) tokens_.push_back(fmt::format("{}={}", key, *text));
    return parsed.value_or(otherwise);
  }
  [[nodiscard]] const std::vector<std::string>& rest() const { return tokens_; }

 private:
  std::string name_;
  std::vector<std::string> tokens_;
};

std::string_view keep(OwnedPacket& packet, std::string text) {
  return packet.texts.emplace_back(std::move(text));
}

void read_rest_as_properties(Line& line, OwnedPacket& packet, std::string& problem) {
  for (const std::string& token : line.rest()) {
    const auto equals = token.find('=');
    const std::string name = token.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : token.substr(equals + 1);
    const bool of_will = name.starts_with("will.");
    if (equals == std::string::npos || !add_property(of_will ? packet.will_properties : packet.properties,
                                                     of_will ? name.substr(5) : name, value))
      problem = fmt::format("\"{}\" is neither a field nor a property of {}", token, line.name());
  }
}

void read_connect(Line& line, OwnedPacket& packet, Version version, std::string& problem) {
  ConnectView c;
  c.version = version;
  c.client_id = keep(packet, line.value("id").value_or(""));
  c.clean_start = line.flag("clean");
  c.keep_alive = static_cast<std::uint16_t>(line.number_or("ka", 0));
  if (auto user = line.value("user")) c.user_name = keep(packet, *user);
  if (auto password = line.value("pass")) c.password = as_bytes(keep(packet, *password));
  const auto will_topic = line.value("will");
  WillView will;
  will.payload = as_bytes(keep(packet, expand(line.value("willp").value_or(""))));
  will.qos = static_cast<QoS>(line.number_or("willq", 0));
  will.retain = line.flag("willr");
  read_rest_as_properties(line, packet, problem);
  c.properties = packet.properties;
  will.properties = packet.will_properties;
  if (will_topic) {
    will.topic = keep(packet, *will_topic);
    c.will = will;
  }
  packet.view = c;
}

void read_connack(Line& line, OwnedPacket& packet, Version version, std::string& problem) {
  ConnackView c;
  c.session_present = line.flag("sp");
  const std::uint32_t code = line.number_or("rc", 0);
  c.return_code = static_cast<ConnectReturnCode>(code);
  c.reason = version == Version::v5 ? static_cast<ReasonCode>(code) : to_reason_code(c.return_code);
  read_rest_as_properties(line, packet, problem);
  c.properties = packet.properties;
  packet.view = c;
}

void read_publish(Line& line, OwnedPacket& packet, std::string& problem) {
  PublishView p;
  p.qos = static_cast<QoS>(line.number_or("q", 0));
  p.packet_id = static_cast<PacketId>(line.number_or("id", 0));
  p.dup = line.flag("dup");
  p.retain = line.flag("retain");
  p.topic = keep(packet, expand(line.value("t").value_or("")));
  p.payload = as_bytes(keep(packet, expand(line.value("p").value_or(""))));
  read_rest_as_properties(line, packet, problem);
  p.properties = packet.properties;
  packet.view = p;
}

template <class Ack>
void read_ack(Line& line, OwnedPacket& packet, std::string& problem) {
  Ack ack;
  ack.packet_id = static_cast<PacketId>(line.number_or("id", 0));
  ack.reason = static_cast<ReasonCode>(line.number_or("rc", 0));
  read_rest_as_properties(line, packet, problem);
  ack.properties = packet.properties;
  packet.view = ack;
}

SubscriptionOptions read_options(const std::vector<std::string>& parts) {
  SubscriptionOptions options;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i] == "nl")
      options.no_local = true;
    else if (parts[i] == "rap")
      options.retain_as_published = true;
    else if (parts[i].starts_with("rh"))
      options.retain_handling = static_cast<RetainHandling>(number(parts[i].substr(2)).value_or(0));
    else
      options.qos = static_cast<QoS>(number(parts[i]).value_or(0));
  }
  return options;
}

void read_subscribe(Line& line, OwnedPacket& packet, std::string& problem) {
  SubscribeView s;
  s.packet_id = static_cast<PacketId>(line.number_or("id", 0));
  while (const auto filter = line.value("f")) {
    const auto parts = split(*filter, ':');
    packet.subscriptions.add(parts[0], read_options(parts));
  }
  read_rest_as_properties(line, packet, problem);
  s.properties = packet.properties;
  s.subscriptions = packet.subscriptions.view();
  packet.view = s;
}

void read_unsubscribe(Line& line, OwnedPacket& packet, std::string& problem) {
  UnsubscribeView u;
  u.packet_id = static_cast<PacketId>(line.number_or("id", 0));
  while (const auto filter = line.value("f")) packet.filters.add(*filter);
  read_rest_as_properties(line, packet, problem);
  u.properties = packet.properties;
  u.filters = packet.filters.view();
  packet.view = u;
}

template <class Answer>
void read_answer(Line& line, OwnedPacket& packet, std::string& problem) {
  Answer answer;
  answer.packet_id = static_cast<PacketId>(line.number_or("id", 0));
  std::string codes;
  for (const auto& code : split(line.value("rc").value_or(""), ','))
    if (!code.empty()) codes.push_back(static_cast<char>(number(code).value_or(0xFF)));
  answer.reasons = as_bytes(keep(packet, codes));
  read_rest_as_properties(line, packet, problem);
  answer.properties = packet.properties;
  packet.view = answer;
}

template <class Packet>
void read_reason_only(Line& line, OwnedPacket& packet, std::string& problem) {
  Packet p;
  p.reason = static_cast<ReasonCode>(line.number_or("rc", 0));
  read_rest_as_properties(line, packet, problem);
  p.properties = packet.properties;
  packet.view = p;
}

}  // namespace

std::vector<std::string> split(std::string_view line, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(separator, at), line.size());
    parts.emplace_back(line.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::unique_ptr<OwnedPacket> parse_packet(std::string_view text, Version version, std::string& problem) {
  auto packet = std::make_unique<OwnedPacket>();
  Line line{text};
  const std::string& name = line.name();
  problem.clear();
  if (name == "CONNECT")
    read_connect(line, *packet, version, problem);
  else if (name == "CONNACK")
    read_connack(line, *packet, version, problem);
  else if (name == "PUBLISH")
    read_publish(line, *packet, problem);
  else if (name == "PUBACK")
    read_ack<PubackView>(line, *packet, problem);
  else if (name == "PUBREC")
    read_ack<PubrecView>(line, *packet, problem);
  else if (name == "PUBREL")
    read_ack<PubrelView>(line, *packet, problem);
  else if (name == "PUBCOMP")
    read_ack<PubcompView>(line, *packet, problem);
  else if (name == "SUBSCRIBE")
    read_subscribe(line, *packet, problem);
  else if (name == "SUBACK")
    read_answer<SubackView>(line, *packet, problem);
  else if (name == "UNSUBSCRIBE")
    read_unsubscribe(line, *packet, problem);
  else if (name == "UNSUBACK")
    read_answer<UnsubackView>(line, *packet, problem);
  else if (name == "PINGREQ")
    packet->view = PingreqView{};
  else if (name == "PINGRESP")
    packet->view = PingrespView{};
  else if (name == "DISCONNECT")
    read_reason_only<DisconnectView>(line, *packet, problem);
  else if (name == "AUTH")
    read_reason_only<AuthView>(line, *packet, problem);
  else
    problem = fmt::format("\"{}\" is no packet", name);
  return problem.empty() ? std::move(packet) : nullptr;
}

namespace {

std::string fields(const ConnectView& c) {
  std::string out = fmt::format(" id={}{} ka={}", c.client_id, flag(c.clean_start, "clean"), c.keep_alive);
  if (c.user_name) out += fmt::format(" user={}", *c.user_name);
  if (c.password) out += fmt::format(" pass={}", as_text(*c.password));
  if (c.will)
    out += fmt::format(" will={} willp={} willq={}{}{}", c.will->topic, as_text(c.will->payload),
                       to_number(c.will->qos), flag(c.will->retain, "willr"),
                       describe(c.will->properties, "will."));
  return out;
}
std::string fields(const ConnackView& c) { return flag(c.session_present, "sp") + describe_reason(c.reason); }
std::string fields(const PublishView& p) {
  const std::string payload =
      p.payload.size() > 60 ? fmt::format("({} bytes)", p.payload.size()) : std::string{as_text(p.payload)};
  return fmt::format(" q={} id={}{}{} t={} p={}", to_number(p.qos), p.packet_id, flag(p.dup, "dup"),
                     flag(p.retain, "retain"), p.topic, payload);
}
std::string fields(const AckView& a) {
  return fmt::format(" id={}{}", a.packet_id, describe_reason(a.reason));
}
std::string fields(const SubscribeView& s) {
  std::string out = fmt::format(" id={}", s.packet_id);
  for (const auto& [filter, o] : s.subscriptions) {
    out += fmt::format(" f={}:{}{}{}", filter, to_number(o.qos), o.no_local ? ":nl" : "",
                       o.retain_as_published ? ":rap" : "");
    if (o.retain_handling != RetainHandling::send)
      out += fmt::format(":rh{}", static_cast<unsigned>(o.retain_handling));
  }
  return out;
}
std::string fields(const UnsubscribeView& u) {
  std::string out = fmt::format(" id={}", u.packet_id);
  for (const auto& subscription : u.filters) out += fmt::format(" f={}", subscription.filter);
  return out;
}
std::string fields(const SubackView& s) {
  return fmt::format(" id={}{}", s.packet_id, describe_codes(s.reasons));
}
std::string fields(const UnsubackView& s) {
  return fmt::format(" id={}{}", s.packet_id, describe_codes(s.reasons));
}
std::string fields(const DisconnectView& d) { return describe_reason(d.reason); }
std::string fields(const AuthView& a) { return describe_reason(a.reason); }
std::string fields(const PingreqView&) { return ""; }
std::string fields(const PingrespView&) { return ""; }

}  // namespace

std::string describe(const PacketView& packet) {
  return std::visit(
      [&](const auto& p) {
        std::string out = std::string{to_string(type_of(packet))} + fields(p);
        if constexpr (requires { p.properties; }) out += describe(p.properties);
        return out;
      },
      packet);
}

}  // namespace mqtt::test
