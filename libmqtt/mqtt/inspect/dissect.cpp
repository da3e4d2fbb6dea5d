#include <mqtt/inspect/dissect.hpp>

#include <algorithm>
#include <bit>
#include <iterator>

#include <fmt/format.h>

#include <mqtt/inspect/reading.hpp>
#include <mqtt/inspect/shown.hpp>

namespace mqtt {
namespace {

/// Bits of one byte, highest first.
struct Part {
  std::uint8_t bits;
  std::string_view name;
};

constexpr Part publish_parts[] = {
    {0xF0, "MQTT Control Packet type"}, {0x08, "DUP flag"}, {0x06, "QoS level"}, {0x01, "RETAIN"}};
constexpr Part other_parts[] = {{0xF0, "MQTT Control Packet type"}, {0x0F, "Reserved"}};
constexpr Part connect_parts[] = {{0x80, "User Name Flag"}, {0x40, "Password Flag"}, {0x20, "Will Retain"},
                                  {0x18, "Will QoS"},       {0x04, "Will Flag"},     {0x02, "Clean Start"},
                                  {0x01, "Reserved"}};
constexpr Part connect_parts_before_5[] = {
    {0x80, "User Name Flag"}, {0x40, "Password Flag"}, {0x20, "Will Retain"}, {0x18, "Will QoS"},
    {0x04, "Will Flag"},      {0x02, "Clean Session"}, {0x01, "Reserved"}};
constexpr Part connack_parts[] = {{0xFE, "Reserved"}, {0x01, "Session Present"}};
constexpr Part option_parts[] = {{0xC0, "Reserved"},
                                 {0x30, "Retain Handling"},
                                 {0x08, "Retain As Published"},
                                 {0x04, "No Local"},
                                 {0x03, "Maximum QoS"}};
constexpr Part qos_parts[] = {{0xFC, "Reserved"}, {0x03, "QoS"}};

/// Names the fields of one packet in their order. Once the place of the next field is not known, nothing is
/// taken any more, so that the steps read like the specification.
class Dissector {
 public:
  Dissector(std::vector<Field>& fields, Bytes packet, Version version)
      : fields_{fields}, packet_{packet}, end_{size32(packet)}, version_{version} {}

  void run() {
    fixed_header();
    if (!lost_) body(static_cast<PacketType>(packet_[0] >> 4));
    if (at_ < packet_.size()) raw();
  }

 private:
  static std::uint32_t size32(Bytes bytes) { return static_cast<std::uint32_t>(bytes.size()); }
  [[nodiscard]] std::uint32_t left() const { return end_ - at_; }
  [[nodiscard]] bool more() const { return !lost_ && left() > 0; }
  [[nodiscard]] bool v5() const { return version_ == Version::v5; }

  /// Where the next field of `size` bytes begins, if it is there; it is taken.
  bool take(std::uint32_t size) {
    lost_ = lost_ || size > left() || fields_.size() >= fields_max;
    if (!lost_) at_ += size;
    return !lost_;
  }

  Field& add(std::string_view name, std::uint32_t size, FieldKind kind) {
    return fields_.emplace_back(
        Field{.name = name, .offset = at_ - size, .size = size, .kind = kind, .text = {}, .key = {}});
  }

  void raw() {
    at_ = size32(packet_);
    const std::uint32_t from = fields_.empty() ? 0 : end_of_last();
    add("Undecoded", at_ - from, FieldKind::raw).text = as_text(packet_.subspan(from));
  }
  [[nodiscard]] std::uint32_t end_of_last() const { return fields_.back().offset + fields_.back().size; }

  std::uint32_t integer(std::string_view name, std::uint32_t bytes) {
    if (!take(bytes)) return 0;
    Field& field = add(name, bytes, FieldKind::number);
    for (std::uint32_t i = 0; i < bytes; ++i) field.number = field.number << 8 | packet_[field.offset + i];
    return field.number;
  }

  std::uint32_t varint(std::string_view name) {
    const Varint read = read_varint(packet_.subspan(at_, lost_ ? 0 : left()));
    lost_ = lost_ || read.size == 0;
    if (!take(read.size)) return 0;
    add(name, read.size, FieldKind::number).number = read.value;
    return read.value;
  }

  /// A byte of bits.
  std::uint8_t byte(std::string_view name, std::span<const Part> parts) {
    const auto value = static_cast<std::uint8_t>(integer(name, 1));
    if (lost_) return 0;
    for (const Part& part : parts) {
      Field& field = add(part.name, 1, FieldKind::number);
      field.bits = part.bits;
      field.number = (value & part.bits) >> std::countr_zero(part.bits);
    }
    return value;
  }

  /// The bytes behind a two-byte length at `at`; nothing if they are not all there.
  [[nodiscard]] std::optional<std::string_view> sized(std::uint32_t at) const {
    if (end_ - at < 2) return std::nullopt;
    const auto size = static_cast<std::uint32_t>(packet_[at] << 8 | packet_[at + 1]);
    if (end_ - at - 2 < size) return std::nullopt;
    return as_text(packet_.subspan(at + 2, size));
  }

  std::string_view field(std::string_view name, FieldKind kind) {
    const auto content = lost_ ? std::nullopt : sized(at_);
    lost_ = lost_ || !content;
    if (lost_ || !take(static_cast<std::uint32_t>(content->size()) + 2)) return {};
    add(name, static_cast<std::uint32_t>(content->size()) + 2, kind).text = *content;
    return *content;
  }

  void reason(std::string_view name, PacketType type) {
    const auto code = static_cast<ReasonCode>(integer(name, 1));
    if (lost_) return;
    fields_.back().kind = FieldKind::name;
    fields_.back().text = reason_name(code, type);
  }

  void fixed_header() {
    const bool with_qos =
        packet_[0] >> 4 == static_cast<unsigned>(PacketType::publish) || version_ == Version::v3_1;
    byte("Control Packet type and flags",
         with_qos ? std::span<const Part>{publish_parts} : std::span<const Part>{other_parts});
    fields_[1].kind = FieldKind::name;
    fields_[1].text = to_string(static_cast<PacketType>(packet_[0] >> 4));
    varint("Remaining Length");
  }

  void body(PacketType type) {
    switch (type) {
      case PacketType::connect: return connect();
      case PacketType::connack: return connack();
      case PacketType::publish: return publish();
      case PacketType::puback: return ack("PUBACK Reason Code", type);
      case PacketType::pubrec: return ack("PUBREC Reason Code", type);
      case PacketType::pubrel: return ack("PUBREL Reason Code", type);
      case PacketType::pubcomp: return ack("PUBCOMP Reason Code", type);
      case PacketType::subscribe:
      case PacketType::unsubscribe: return request(type);
      case PacketType::suback:
      case PacketType::unsuback: return answer(type);
      case PacketType::pingreq:
      case PacketType::pingresp: return;
      case PacketType::disconnect: return ending("Disconnect Reason Code", type);
      case PacketType::auth: return ending("Authenticate Reason Code", type);
    }
  }

  void connect() {
    field("Protocol Name", FieldKind::text);
    const std::uint32_t level = integer("Protocol Version", 1);
    lost_ = lost_ || level < 3 || level > 5;
    if (lost_) return;
    version_ = static_cast<Version>(level);
    if (version_ == Version::v3_1_1) fields_.back().name = "Protocol Level";
    const std::uint8_t flags =
        byte("Connect Flags", v5() ? std::span<const Part>{connect_parts} : connect_parts_before_5);
    integer("Keep Alive", 2);
    properties("Property Length");
    field("Client Identifier", FieldKind::text);
    if (flags & 0x04) will();
    if (flags & 0x80) field("User Name", FieldKind::text);
    if (flags & 0x40) field("Password", FieldKind::secret);
  }

  void will() {
    properties("Will Property Length");
    field("Will Topic", FieldKind::text);
    field(v5() ? "Will Payload" : "Will Message", FieldKind::binary);
  }

  void connack() {
    byte("Connect Acknowledge Flags", connack_parts);
    if (v5() && left() > 1) {
      reason("Connect Reason Code", PacketType::connack);
      return properties("Property Length");
    }
    // Two bytes are the form of 3.1 and 3.1.1, also where a server refuses 5.0 with it.
    const auto code = static_cast<ConnectReturnCode>(integer("Connect Return code", 1));
    if (lost_) return;
    fields_.back().kind = FieldKind::name;
    fields_.back().text = to_string(code);
  }

  void publish() {
    field("Topic Name", FieldKind::text);
    if ((packet_[0] >> 1 & 3) != 0) integer("Packet Identifier", 2);
    properties("Property Length");
    const std::uint32_t size = left();
    if (size == 0 || !take(size)) return;
    add("Payload", size, FieldKind::binary).text = as_text(packet_.subspan(at_ - size, size));
  }

  void ack(std::string_view reason_field, PacketType type) {
    integer("Packet Identifier", 2);
    if (v5()) ending(reason_field, type);
  }

  /// Reason code and properties, either of which may be left out from the end.
  void ending(std::string_view reason_field, PacketType type) {
    if (!v5()) return;
    if (more()) reason(reason_field, type);
    if (more()) properties("Property Length");
  }

  void request(PacketType type) {
    integer("Packet Identifier", 2);
    properties("Property Length");
    while (more()) {
      field("Topic Filter", FieldKind::text);
      if (type == PacketType::unsubscribe) continue;
      if (v5())
        byte("Subscription Options", option_parts);
      else
        byte("Requested QoS", qos_parts);
    }
  }

  void answer(PacketType type) {
    integer("Packet Identifier", 2);
    properties("Property Length");
    while (more() && v5()) reason("Reason Code", type);
    while (more() && type == PacketType::suback) return_code();
  }

  /// One byte of a SUBACK before 5.0.
  void return_code() {
    const std::uint32_t code = integer("Return Code", 1);
    if (lost_) return;
    static constexpr std::string_view granted[] = {"Success - Maximum QoS 0", "Success - Maximum QoS 1",
                                                   "Success - Maximum QoS 2"};
    fields_.back().kind = FieldKind::name;
    fields_.back().text = code < 3 ? granted[code] : code == 0x80 ? "Failure" : "Reserved";
  }

  void properties(std::string_view length_name) {
    if (!v5()) return;
    const std::uint32_t size = varint(length_name);
    lost_ = lost_ || size > left();
    if (lost_) return;
    const std::uint32_t behind = end_;
    end_ = at_ + size;
    while (more()) property();
    end_ = behind;
  }

  void property() {
    const Varint id = read_varint(packet_.subspan(at_, left()));
    const PropertyInfo* info = id.size > 0 ? find_property(id.value) : nullptr;
    lost_ = info == nullptr || left() == id.size;
    if (lost_) return;
    // The value is taken as a field of its own that then grows over the identifier before it.
    at_ += id.size;
    value(*info);
    if (lost_) return;
    fields_.back().offset -= id.size;
    fields_.back().size += id.size;
  }

  void value(const PropertyInfo& info) {
    switch (info.type) {
      case PropertyType::byte: integer(info.name, 1); return;
      case PropertyType::two_byte_integer: integer(info.name, 2); return;
      case PropertyType::four_byte_integer: integer(info.name, 4); return;
      case PropertyType::variable_byte_integer: varint(info.name); return;
      case PropertyType::utf8_string: field(info.name, FieldKind::text); return;
      case PropertyType::binary_data:
        field(info.name, info.id == PropertyId::authentication_data ? FieldKind::secret : FieldKind::binary);
        return;
      case PropertyType::utf8_string_pair: return pair(info.name);
    }
  }

  void pair(std::string_view name) {
    const auto key = sized(at_);
    const auto text = key ? sized(at_ + 2 + static_cast<std::uint32_t>(key->size())) : std::nullopt;
    lost_ = !text;
    if (lost_) return;
    const auto size = static_cast<std::uint32_t>(key->size() + text->size()) + 4;
    if (!take(size)) return;
    Field& field = add(name, size, FieldKind::pair);
    field.key = *key;
    field.text = *text;
  }

  std::vector<Field>& fields_;
  Bytes packet_;
  std::uint32_t at_ = 0;
  std::uint32_t end_;  // of the packet, or of the properties that are being read
  Version version_;
  bool lost_ = false;
};

}  // namespace

void dissect(Dissection& out, Bytes bytes, DecodeContext context) {
  out.fields.clear();
  out.faults.clear();
  if (bytes.empty()) return;
  const Bytes packet = first_packet(bytes);
  out.faults = read_packet(packet, context).faults;
  Dissector{out.fields, packet, context.version}.run();
}

void append_value(std::string& out, const Field& field, DescribeOptions options) {
  auto to = std::back_inserter(out);
  switch (field.kind) {
    case FieldKind::number: fmt::format_to(to, "{}", field.number); return;
    case FieldKind::name:
      if (field.bits != 0)
        out += field.text;
      else
        fmt::format_to(to, "{} (0x{:02x})", field.text, field.number);
      return;
    case FieldKind::pair: fmt::format_to(to, "{}={}", shown(field.key), shown(field.text)); return;
    case FieldKind::secret: out += options.show_secrets ? shown(field.text) : "***"; return;
    case FieldKind::text:
    case FieldKind::binary: out += shown(field.text); return;
    case FieldKind::raw: fmt::format_to(to, "{}B", field.size); return;
  }
}

}  // namespace mqtt
