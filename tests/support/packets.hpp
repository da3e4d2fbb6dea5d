#pragma once
#include <random>
#include <string>
#include <vector>

#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/encode.hpp>

namespace mqtt::test {

/// A valid packet as bytes, with what a decoder must know to read it.
struct Sample {
  std::string name;
  DecodeContext context;
  std::vector<std::uint8_t> bytes;
};

/// Bytes of `packet`; empty if it cannot be encoded.
std::vector<std::uint8_t> encoded(const PacketView& packet, Version version);

/// The frame of exactly one packet. `bytes` must start with a complete fixed header.
Frame frame_of(Bytes bytes);

/// At least one packet of each type, version and direction, with every property that it may carry.
std::vector<Sample> all_samples();

/// Makes random valid packets: owns the strings that the views point to.
class RandomPackets {
 public:
  explicit RandomPackets(std::uint64_t seed) : random_{seed} {}

  /// The view is valid until the next call.
  PacketView next(PacketType type, Version version, Sender sender);

 private:
  std::uint32_t number(std::uint32_t low, std::uint32_t high);
  bool coin() { return number(0, 1) == 1; }
  std::string_view text(std::size_t max_size);
  std::string_view topic_name();
  std::string_view topic_filter();
  Bytes binary(std::size_t max_size);
  PropertiesView properties(PropertyPlace place, Version version, Sender sender);
  void add_random(Properties& out, const PropertyInfo& info);
  ReasonCode reason(PacketType type, Version version, Sender sender);
  QoS qos() { return static_cast<QoS>(number(0, 2)); }
  Bytes reasons(PacketType type, Version version);
  PacketView connect(Version version);
  PacketView connack(Version version);
  PacketView publish(Version version, Sender sender);
  PacketView subscribe(Version version);
  PacketView unsubscribe(Version version);
  std::string_view keep(std::string text);

  std::mt19937_64 random_;
  std::vector<std::unique_ptr<std::string>> kept_;
  std::vector<std::unique_ptr<Properties>> kept_properties_;
  SubscriptionList subscriptions_;
  FilterList filters_;
};

inline constexpr Version all_versions[] = {Version::v3_1, Version::v3_1_1, Version::v5};

/// Whether packets of `type` travel from `sender` in `version`.
bool travels(PacketType type, Version version, Sender sender);

}  // namespace mqtt::test
