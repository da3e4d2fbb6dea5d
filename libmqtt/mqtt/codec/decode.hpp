#pragma once
#include <expected>
#include <optional>
#include <vector>

#include <mqtt/codec/decode_error.hpp>
#include <mqtt/codec/framer.hpp>
#include <mqtt/codec/packet.hpp>

namespace mqtt {

/// What the decoder has to know of the connection.
struct DecodeContext {
  Version version = Version::v5;   ///< ignored for CONNECT, which says it itself
  Sender sender = Sender::server;  ///< who sent the packet: some codes and properties are one-sided
};

/// Decodes one whole packet into views of its bytes. Strict: everything that the specification makes
/// a Malformed Packet, or a Protocol Error that shows in the packet alone, is an error with its
/// clause and offset. A packet of the wrong direction (a CONNACK from a client) is a Protocol Error.
[[nodiscard]] std::expected<PacketView, DecodeError> decode(const Frame& frame, DecodeContext context);

/// A packet as far as it can be read, and what is wrong with it.
struct Reading {
  /// What could not be read is as if it were not there, and values may be such as no valid packet has.
  /// Nothing, if not even the packet's type and version can be told.
  std::optional<PacketView> packet{};
  /// In the order of reading: the first one is what decode() says. Only what is certain, and up to
  /// FaultList::faults_max of them.
  std::vector<DecodeError> faults{};
  /// Bytes of the body behind which the places of fields are not known; nothing: it was read to its end.
  std::optional<std::uint32_t> body_read{};
};

/// Goes on where decode() stops, as long as it is known where the next field begins.
[[nodiscard]] Reading decode_all(const Frame& frame, DecodeContext context);

/// The same for PUBLISH alone, without the variant: the hot path. `frame` must be a PUBLISH.
[[nodiscard]] std::expected<PublishView, DecodeError> decode_publish(const Frame& frame,
                                                                     DecodeContext context);

/// Checks encoded properties (without their length) against the rules of the place they stand in.
/// `sender` matters for Subscription Identifier in PUBLISH (MQTT-3.3.4-6). Offsets count from the
/// first byte of `encoded`.
[[nodiscard]] std::expected<PropertiesView, DecodeError> validate_properties(Bytes encoded,
                                                                             PropertyPlace place,
                                                                             Sender sender);

}  // namespace mqtt
