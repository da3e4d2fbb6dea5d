#include "mqspy/set_field.hpp"

#include <array>
#include <concepts>

#include <mqtt/codec/encode.hpp>

namespace mq::spy {
namespace {

using mqtt::PacketType;
using mqtt::ReasonCode;
using mqtt::Version;

template <class P>
concept HasProperties = requires(P& p) {
  { p.properties } -> std::same_as<mqtt::PropertiesView&>;
};
template <class P>
concept HasId = requires(P& p) {
  { p.packet_id } -> std::same_as<mqtt::PacketId&>;
};
template <class P>
concept HasReason = requires(P& p) {
  { p.reason } -> std::same_as<ReasonCode&>;
};

/// Puts the change into a view of one packet; what it points to then is the change's, or kept here.
class Changer {
 public:
  explicit Changer(const FieldChange& change) : change_{change} {}

  template <class P>
  bool apply(P& p) {
    if (change_.name.field == SelectorField::property) return set_property(p);
    if (change_.name.field == SelectorField::packet_id) return set_id(p);
    if (change_.name.field == SelectorField::reason) return set_reason(p);
    return set(p);
  }

 private:
  [[nodiscard]] bool flag() const { return change_.number != 0; }
  template <class T>
  [[nodiscard]] T number() const {
    return static_cast<T>(change_.number);
  }

  template <HasProperties P>
  bool set_property(P& p) {
    properties_ = mqtt::Properties{p.properties};
    const mqtt::PropertyId id = change_.name.property;
    if (id == mqtt::PropertyId::user_property) return set_user_property(p);
    properties_.remove(id);
    const auto type = mqtt::property_info(id).type;
    if (type == mqtt::PropertyType::utf8_string || type == mqtt::PropertyType::binary_data)
      properties_.add(id, change_.text);
    else
      properties_.add(id, number<std::uint32_t>());
    p.properties = properties_;
    return true;
  }
  template <class P>
  bool set_property(P&) {
    return false;
  }

  template <class P>
  bool set_user_property(P& p) {
    properties_.add_user_property(change_.name.key, change_.text);
    p.properties = properties_;
    return true;
  }

  template <HasId P>
  bool set_id(P& p) {
    p.packet_id = number<mqtt::PacketId>();
    return true;
  }
  template <class P>
  bool set_id(P&) {
    return false;
  }

  template <HasReason P>
  bool set_reason(P& p) {
    p.reason = number<ReasonCode>();
    if constexpr (std::same_as<P, mqtt::ConnackView>) p.return_code = number<mqtt::ConnectReturnCode>();
    return true;
  }
  template <class P>
  bool set_reason(P&) {
    return false;
  }

  bool set(mqtt::PublishView& p) {
    switch (change_.name.field) {
      case SelectorField::retain: p.retain = flag(); return true;
      case SelectorField::dup: p.dup = flag(); return true;
      case SelectorField::qos: p.qos = number<mqtt::QoS>(); return true;
      case SelectorField::topic: p.topic = change_.text; return true;
      case SelectorField::payload: p.payload = mqtt::as_bytes(change_.text); return true;
      default: return false;
    }
  }
  bool set(mqtt::ConnectView& p) {
    switch (change_.name.field) {
      case SelectorField::client_id: p.client_id = change_.text; return true;
      case SelectorField::user_name: p.user_name = change_.text; return true;
      case SelectorField::clean_start: p.clean_start = flag(); return true;
      case SelectorField::keep_alive: p.keep_alive = number<std::uint16_t>(); return true;
      default: return false;
    }
  }
  bool set(mqtt::ConnackView& p) {
    if (change_.name.field != SelectorField::session_present) return false;
    p.session_present = flag();
    return true;
  }
  template <class P>
  bool set(P&) {
    return false;
  }

  const FieldChange& change_;
  mqtt::Properties properties_;
};

template <class P>
P ack(mqtt::PacketId id, ReasonCode reason) {
  P made;
  made.packet_id = id;
  made.reason = reason;
  return made;
}

/// The byte of 3.1 and 3.1.1 that says the same; what they have no word for is "server unavailable".
mqtt::ConnectReturnCode return_code_of(ReasonCode reason) {
  using mqtt::ConnectReturnCode;
  for (const auto code : {ConnectReturnCode::accepted, ConnectReturnCode::unacceptable_protocol_version,
                          ConnectReturnCode::identifier_rejected,
                          ConnectReturnCode::bad_user_name_or_password, ConnectReturnCode::not_authorized})
    if (mqtt::to_reason_code(code) == reason) return code;
  // Typed as that byte.
  if (static_cast<std::uint8_t>(reason) <= 5) return static_cast<ConnectReturnCode>(reason);
  return ConnectReturnCode::server_unavailable;
}

/// Makes answers; what they point to is kept here.
class Answerer {
 public:
  Answerer(Version version, ReasonCode reason) : version_{version}, reason_{reason} {}

  std::optional<mqtt::PacketView> to(const mqtt::ConnectView& p) {
    version_ = p.version;
    mqtt::ConnackView made;
    made.reason = reason_;
    made.return_code = return_code_of(reason_);
    return made;
  }
  std::optional<mqtt::PacketView> to(const mqtt::PublishView& p) {
    if (p.qos == mqtt::QoS::at_most_once) return std::nullopt;
    if (p.qos == mqtt::QoS::at_least_once) return ack<mqtt::PubackView>(p.packet_id, reason_);
    return ack<mqtt::PubrecView>(p.packet_id, reason_);
  }
  std::optional<mqtt::PacketView> to(const mqtt::PubrecView& p) {
    return ack<mqtt::PubrelView>(p.packet_id, reason_);
  }
  std::optional<mqtt::PacketView> to(const mqtt::PubrelView& p) {
    return ack<mqtt::PubcompView>(p.packet_id, reason_);
  }
  std::optional<mqtt::PacketView> to(const mqtt::SubscribeView& p) {
    mqtt::SubackView made;
    made.packet_id = p.packet_id;
    made.reasons = reasons_for(p.subscriptions);
    return made;
  }
  std::optional<mqtt::PacketView> to(const mqtt::UnsubscribeView& p) {
    mqtt::UnsubackView made;
    made.packet_id = p.packet_id;
    made.reasons = reasons_for(p.filters);
    return made;
  }
  std::optional<mqtt::PacketView> to(const mqtt::PingreqView&) { return mqtt::PingrespView{}; }
  template <class P>
  std::optional<mqtt::PacketView> to(const P&) {
    return std::nullopt;
  }

  [[nodiscard]] Version version() const { return version_; }

 private:
  mqtt::Bytes reasons_for(const mqtt::SubscriptionsView& list) {
    // 3.1.1 has one code for a failure.
    const bool plain = version_ != Version::v5 && mqtt::is_error(reason_);
    const auto code = plain ? 0x80 : static_cast<std::uint8_t>(reason_);
    for ([[maybe_unused]] const mqtt::SubscriptionView& each : list) codes_ += static_cast<char>(code);
    return mqtt::as_bytes(codes_);
  }

  Version version_;
  ReasonCode reason_;
  std::string codes_;
};

}  // namespace

bool can_set(SelectorField field) {
  switch (field) {
    case SelectorField::qos:
    case SelectorField::dup:
    case SelectorField::retain:
    case SelectorField::packet_id:
    case SelectorField::topic:
    case SelectorField::payload:
    case SelectorField::property:
    case SelectorField::client_id:
    case SelectorField::user_name:
    case SelectorField::clean_start:
    case SelectorField::keep_alive:
    case SelectorField::session_present:
    case SelectorField::reason: return true;
    default: return false;
  }
}

std::optional<std::string> encoded(const mqtt::PacketView& packet, Version version) {
  mqtt::ChunkPool pool;
  mqtt::OutBuffer out{pool};
  if (!mqtt::encode(out, packet, version)) return std::nullopt;
  std::string bytes;
  std::array<iovec, 16> parts;
  while (!out.empty()) {
    const std::size_t count = out.gather(parts);
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
      size += parts[i].iov_len;
    }
    out.consume(size);
  }
  return bytes;
}

std::optional<std::string> with_change(const mqtt::PacketView& packet, Version version,
                                       const FieldChange& change) {
  if (change.name.field == SelectorField::property && version != Version::v5) return std::nullopt;
  mqtt::PacketView changed = packet;
  Changer changer{change};
  if (!std::visit([&changer](auto& p) { return changer.apply(p); }, changed)) return std::nullopt;
  return encoded(changed, version);
}

std::optional<std::string> answer_to(const mqtt::PacketView& packet, Version version, ReasonCode reason) {
  Answerer answerer{version, reason};
  const auto answer = std::visit([&answerer](const auto& p) { return answerer.to(p); }, packet);
  return answer ? encoded(*answer, answerer.version()) : std::nullopt;
}

}  // namespace mq::spy
