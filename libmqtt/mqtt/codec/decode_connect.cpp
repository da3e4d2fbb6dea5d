#include <mqtt/codec/decode_parts.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt::detail {
namespace {

/// Connect Flags (3.1.2.3).
struct ConnectFlags {
  std::uint8_t byte;

  [[nodiscard]] bool reserved() const { return (byte & 0x01) != 0; }
  [[nodiscard]] bool clean_start() const { return (byte & 0x02) != 0; }
  [[nodiscard]] bool will() const { return (byte & 0x04) != 0; }
  [[nodiscard]] unsigned will_qos() const { return byte >> 3 & 3u; }
  [[nodiscard]] bool will_retain() const { return (byte & 0x20) != 0; }
  [[nodiscard]] bool password() const { return (byte & 0x40) != 0; }
  [[nodiscard]] bool user_name() const { return (byte & 0x80) != 0; }
};

struct Protocol {
  std::string_view name;
  std::uint8_t level = 0;
};

/// Name and level decide the version before anything else can be read. The reason code tells a
/// server whether a CONNACK may answer: only for a level that it does not know [MQTT-3.1.2-2].
Decoded<Version> decode_version(const Frame& frame, const Task& task) {
  Reader in = reader_of(frame, {Version::v5, Sender::client, task.all});
  const std::uint32_t name_at = in.offset();
  Protocol protocol{in.utf8_string()};
  const std::uint32_t level_at = in.offset();
  protocol.level = in.byte();
  if (protocol.name != "MQTT" && protocol.name != "MQIsdp")
    in.lose(clauses::protocol_name, "protocol name is not MQTT", ReasonCode::unsupported_protocol_version,
            name_at);
  const bool known =
      protocol.name == "MQTT" ? protocol.level == 4 || protocol.level == 5 : protocol.level == 3;
  if (!known)
    in.lose(clauses::protocol_level, "protocol level is not supported",
            ReasonCode::unsupported_protocol_version, level_at);
  if (!in.ok()) return std::unexpected(in.error());
  return static_cast<Version>(protocol.level);
}

void check_flags(Reader& in, ConnectFlags flags, std::uint32_t at) {
  const auto malformed = ReasonCode::malformed_packet;
  in.require(!flags.reserved(), clauses::connect_reserved_flag, "reserved connect flag is set", malformed,
             at);
  in.require(flags.will_qos() != 3, clauses::will_qos_3, "Will QoS is 3", malformed, at);
  if (in.version() == Version::v3_1) return;  // 3.1 does not tie these flags to each other
  in.require(flags.will() || flags.will_qos() == 0, clauses::will_qos_without_will, "Will QoS without a Will",
             malformed, at);
  in.require(flags.will() || !flags.will_retain(), clauses::will_retain_without_will,
             "Will Retain without a Will", malformed, at);
  const bool password_alone = flags.password() && !flags.user_name();
  in.require(in.version() == Version::v5 || !password_alone, clauses::password_without_user,
             "Password without a User Name", malformed, at);
}

WillView read_will(Reader& in, ConnectFlags flags) {
  WillView will;
  will.qos = static_cast<QoS>(flags.will_qos());
  will.retain = flags.will_retain();
  will.properties = in.properties(PropertyPlace::will, Sender::client);
  const std::uint32_t at = in.offset();
  const std::size_t faults = in.faults();
  will.topic = in.utf8_string();
  const bool is_text = in.ok() && in.faults() == faults;
  if (const auto fault = is_text ? find_topic_name_error(will.topic) : std::nullopt)
    in.fail(fault->clause, "Will Topic is not a topic name", ReasonCode::topic_name_invalid,
            at + 2 + static_cast<std::uint32_t>(fault->offset));
  will.payload = in.binary_data();
  return will;
}

}  // namespace

Decoded<ConnectView> decode_connect(const Frame& frame, const Task& task) {
  const auto version = decode_version(frame, task);
  if (!version) return std::unexpected(version.error());
  Reader in = reader_of(frame, {*version, Sender::client, task.all});
  in.binary_data();  // protocol name and level: decode_version() read them
  in.byte();
  ConnectView connect;
  connect.version = *version;
  const std::uint32_t flags_at = in.offset();
  const ConnectFlags flags{in.byte()};
  check_flags(in, flags, flags_at);
  connect.clean_start = flags.clean_start();
  connect.keep_alive = in.two_byte_integer();
  const std::uint32_t properties_at = in.offset();
  connect.properties = in.properties(PropertyPlace::connect, Sender::client);
  const bool data_alone = connect.properties.find(PropertyId::authentication_data) &&
                          !connect.properties.find(PropertyId::authentication_method);
  in.require(!data_alone, clauses::auth_data_without_method, "Authentication Data without a method",
             ReasonCode::protocol_error, properties_at);
  connect.client_id = in.utf8_string();
  if (flags.will() && in.ok()) connect.will = read_will(in, flags);
  const auto if_read = [&in](auto value) { return in.ok() ? std::optional{value} : std::nullopt; };
  if (flags.user_name()) connect.user_name = if_read(in.utf8_string());
  if (flags.password()) connect.password = if_read(in.binary_data());
  return in.done(connect);
}

namespace {

/// A server that does not know 5.0 answers our CONNECT in the form of its own version (3.1.1, 3.1.2.2:
/// return code 1). It is the only CONNACK of that form that a 5.0 client gets.
bool refuses_version_as_before_5(const Frame& frame) {
  return frame.body().size() == 2 && frame.body()[0] == 0 && frame.body()[1] == 1;
}

}  // namespace

Decoded<ConnackView> decode_connack(const Frame& frame, const Task& task) {
  Reader in = reader_of(frame, task);
  ConnackView connack;
  if (task.version == Version::v5 && refuses_version_as_before_5(frame)) {
    connack.reason = ReasonCode::unsupported_protocol_version;
    connack.return_code = ConnectReturnCode::unacceptable_protocol_version;
    return connack;
  }
  const std::uint32_t flags_at = in.offset();
  const std::uint8_t flags = in.byte();
  // 3.1 calls this byte reserved and does not say what it holds.
  if (task.version != Version::v3_1) {
    in.require((flags & 0xFE) == 0, clauses::connack_flags, "reserved CONNACK flags are set",
               ReasonCode::malformed_packet, flags_at);
    connack.session_present = (flags & 1) != 0;
  }
  if (task.version == Version::v5) {
    connack.reason = reason_code(in, PacketType::connack, task.sender, clauses::connack_reason);
    connack.properties = in.properties(PropertyPlace::connack, task.sender);
  } else {
    const std::uint32_t at = in.offset();
    connack.return_code = static_cast<ConnectReturnCode>(in.byte());
    connack.reason = to_reason_code(connack.return_code);
    in.require(connack.return_code <= ConnectReturnCode::not_authorized, clauses::connack_reason,
               "CONNACK return code is reserved", ReasonCode::protocol_error, at);
  }
  in.require(connack.reason == ReasonCode::success || !connack.session_present,
             clauses::session_present_on_refusal, "refused connection with Session Present",
             ReasonCode::protocol_error, flags_at);
  return in.done(connack);
}

}  // namespace mqtt::detail
