#include "support/packets.hpp"

#include <mqtt/util/utf8.hpp>

namespace mqtt::test {

std::vector<std::uint8_t> encoded(const PacketView& packet, Version version) {
  ChunkPool pool;
  OutBuffer out{pool};
  if (!encode(out, packet, version)) return {};
  std::vector<std::uint8_t> bytes;
  iovec part;
  while (out.gather({&part, 1}) == 1) {
    const auto* data = static_cast<const std::uint8_t*>(part.iov_base);
    bytes.insert(bytes.end(), data, data + part.iov_len);
    out.consume(part.iov_len);
  }
  return bytes;
}

Frame frame_of(Bytes bytes) {
  std::uint8_t size = 2;
  while (size < 5 && bytes[size - 1u] & 0x80) ++size;
  return Frame{bytes, size};
}

bool travels(PacketType type, Version version, Sender sender) {
  switch (type) {
    case PacketType::connect:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
    case PacketType::pingreq: return sender == Sender::client;
    case PacketType::connack:
    case PacketType::suback:
    case PacketType::unsuback:
    case PacketType::pingresp: return sender == Sender::server;
    case PacketType::disconnect: return version == Version::v5 || sender == Sender::client;
    case PacketType::auth: return version == Version::v5;
    default: return true;
  }
}

std::vector<Sample> all_samples() {
  std::vector<Sample> samples;
  RandomPackets packets{1};
  for (const Version version : all_versions)
    for (const Sender sender : {Sender::client, Sender::server})
      for (unsigned number = 1; number <= 15; ++number) {
        const auto type = static_cast<PacketType>(number);
        if (!travels(type, version, sender)) continue;
        for (int variant = 0; variant < 6; ++variant) {
          auto bytes = encoded(packets.next(type, version, sender), version);
          std::string name = std::string{to_string(type)} + "_" + std::string{to_string(version)} + "_" +
                             std::to_string(variant);
          samples.push_back({std::move(name), {version, sender}, std::move(bytes)});
        }
      }
  return samples;
}

std::uint32_t RandomPackets::number(std::uint32_t low, std::uint32_t high) {
  return std::uniform_int_distribution<std::uint32_t>{low, high}(random_);
}

std::string_view RandomPackets::keep(std::string text) {
  kept_.push_back(std::make_unique<std::string>(std::move(text)));
  return *kept_.back();
}

std::string_view RandomPackets::text(std::size_t max_size) {
  static constexpr std::string_view pieces[] = {"a",  "Z",  "0",    " ",    "/",           "é",
                                                "水", "😀", "\x01", "\x7f", "longer piece"};
  std::string out;
  const std::size_t size = number(0, static_cast<std::uint32_t>(max_size));
  while (out.size() < size) out += pieces[number(0, std::size(pieces) - 1)];
  return keep(std::move(out));
}

std::string_view RandomPackets::topic_name() {
  std::string topic{text(30)};
  return topic.empty() ? "t" : keep(std::move(topic));
}

std::string_view RandomPackets::topic_filter() {
  static constexpr std::string_view shapes[] = {"#", "+",      "a/+/b",        "a/#",
                                                "/", "$SYS/#", "$share/g/a/+", "+/+/#"};
  return coin() ? shapes[number(0, std::size(shapes) - 1)] : topic_name();
}

Bytes RandomPackets::binary(std::size_t max_size) {
  std::string out(number(0, static_cast<std::uint32_t>(max_size)), '\0');
  for (char& c : out) c = static_cast<char>(number(0, 255));
  return as_bytes(keep(std::move(out)));
}

void RandomPackets::add_random(Properties& out, const PropertyInfo& info) {
  switch (info.type) {
    case PropertyType::byte:
    case PropertyType::two_byte_integer:
    case PropertyType::variable_byte_integer:
    case PropertyType::four_byte_integer: {
      const std::uint32_t widest = info.type == PropertyType::two_byte_integer ? 65'535 : info.max;
      out.add(info.id, number(info.min, std::min(info.max, widest)));
      return;
    }
    case PropertyType::binary_data: out.add(info.id, as_text(binary(20))); return;
    case PropertyType::utf8_string:
      out.add(info.id, info.id == PropertyId::response_topic ? topic_name() : text(20));
      return;
    case PropertyType::utf8_string_pair:
      for (std::uint32_t i = number(1, 3); i > 0; --i) out.add_user_property(text(8), text(8));
      return;
  }
}

PropertiesView RandomPackets::properties(PropertyPlace place, Version version, Sender sender) {
  if (version != Version::v5) return {};
  Properties out;
  for (const PropertyInfo& info : all_properties()) {
    if (!info.allowed_at(place) || coin()) continue;
    const bool client_publish = place == PropertyPlace::publish && sender == Sender::client;
    const bool disconnect = place == PropertyPlace::disconnect;
    if (client_publish && info.id == PropertyId::subscription_identifier) continue;
    if (disconnect && info.id == PropertyId::session_expiry_interval && sender == Sender::server) continue;
    if (disconnect && info.id == PropertyId::server_reference && sender == Sender::client) continue;
    add_random(out, info);
  }
  const PropertiesView made = out.view();
  const bool needs_method = place == PropertyPlace::auth || made.find(PropertyId::authentication_data);
  if (needs_method && !made.find(PropertyId::authentication_method))
    out.add(PropertyId::authentication_method, "SCRAM-SHA-256");
  kept_properties_.push_back(std::make_unique<Properties>(std::move(out)));
  return *kept_properties_.back();
}

ReasonCode RandomPackets::reason(PacketType type, Version version, Sender sender) {
  if (version != Version::v5) return ReasonCode::success;
  for (;;) {
    const auto code = static_cast<ReasonCode>(number(0, 0xA2));
    if (reason_allowed(code, type, sender)) return code;
  }
}

Bytes RandomPackets::reasons(PacketType type, Version version) {
  std::string out;
  for (std::uint32_t i = number(1, 5); i > 0; --i) {
    const auto code = version == Version::v5 ? reason(type, version, Sender::server)
                                             : static_cast<ReasonCode>(coin() ? number(0, 2) : 0x80u);
    out.push_back(static_cast<char>(code));
  }
  return as_bytes(keep(std::move(out)));
}

PacketView RandomPackets::connect(Version version) {
  ConnectView p;
  p.version = version;
  p.clean_start = coin();
  p.keep_alive = static_cast<std::uint16_t>(number(0, 65'535));
  p.properties = properties(PropertyPlace::connect, version, Sender::client);
  p.client_id = text(23);
  if (coin())
    p.will = WillView{topic_name(), binary(40), qos(), coin(),
                      properties(PropertyPlace::will, version, Sender::client)};
  if (coin()) p.user_name = text(20);
  if (p.user_name && coin()) p.password = binary(20);
  return p;
}

PacketView RandomPackets::connack(Version version) {
  ConnackView p;
  p.reason = reason(PacketType::connack, version, Sender::server);
  if (version != Version::v5) {
    p.return_code = static_cast<ConnectReturnCode>(number(0, 5));
    p.reason = to_reason_code(p.return_code);
  }
  p.session_present = version != Version::v3_1 && p.reason == ReasonCode::success && coin();
  p.properties = properties(PropertyPlace::connack, version, Sender::server);
  return p;
}

PacketView RandomPackets::publish(Version version, Sender sender) {
  PublishView p;
  p.qos = qos();
  p.dup = p.qos != QoS::at_most_once && coin();
  p.retain = coin();
  p.topic = topic_name();
  p.packet_id = p.qos == QoS::at_most_once ? PacketId{0} : static_cast<PacketId>(number(1, 65'535));
  p.properties = properties(PropertyPlace::publish, version, sender);
  if (p.properties.find(PropertyId::topic_alias) && coin()) p.topic = {};
  p.payload = binary(coin() ? 20 : 400);
  return p;
}

PacketView RandomPackets::subscribe(Version version) {
  subscriptions_ = {};
  for (std::uint32_t i = number(1, 4); i > 0; --i) {
    const std::string_view filter = topic_filter();
    SubscriptionOptions options{qos()};
    if (version == Version::v5)
      options = {qos(), coin() && !filter.starts_with("$share/"), coin(),
                 static_cast<RetainHandling>(number(0, 2))};
    subscriptions_.add(filter, options);
  }
  const auto id = static_cast<PacketId>(number(1, 65'535));
  return SubscribeView{id, properties(PropertyPlace::subscribe, version, Sender::client),
                       subscriptions_.view()};
}

PacketView RandomPackets::unsubscribe(Version version) {
  filters_ = {};
  for (std::uint32_t i = number(1, 4); i > 0; --i) filters_.add(topic_filter());
  const auto id = static_cast<PacketId>(number(1, 65'535));
  return UnsubscribeView{id, properties(PropertyPlace::unsubscribe, version, Sender::client),
                         filters_.view()};
}

PacketView RandomPackets::next(PacketType type, Version version, Sender sender) {
  kept_.clear();
  kept_properties_.clear();
  const auto id = static_cast<PacketId>(number(1, 65'535));
  const auto ack = [&] {
    return AckView{id, reason(type, version, sender), properties(place_of(type), version, sender)};
  };
  switch (type) {
    case PacketType::connect: return connect(version);
    case PacketType::connack: return connack(version);
    case PacketType::publish: return publish(version, sender);
    case PacketType::puback: return PubackView{ack()};
    case PacketType::pubrec: return PubrecView{ack()};
    case PacketType::pubrel: return PubrelView{ack()};
    case PacketType::pubcomp: return PubcompView{ack()};
    case PacketType::subscribe: return subscribe(version);
    case PacketType::suback:
      return SubackView{id, properties(PropertyPlace::suback, version, sender), reasons(type, version)};
    case PacketType::unsubscribe: return unsubscribe(version);
    case PacketType::unsuback:
      return UnsubackView{id, properties(PropertyPlace::unsuback, version, sender),
                          version == Version::v5 ? reasons(type, version) : Bytes{}};
    case PacketType::pingreq: return PingreqView{};
    case PacketType::pingresp: return PingrespView{};
    case PacketType::disconnect:
      return DisconnectView{reason(type, version, sender),
                            properties(PropertyPlace::disconnect, version, sender)};
    case PacketType::auth:
      return AuthView{reason(type, version, sender), properties(PropertyPlace::auth, version, sender)};
  }
  return PingreqView{};
}

}  // namespace mqtt::test
