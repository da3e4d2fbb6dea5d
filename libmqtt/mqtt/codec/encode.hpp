#pragma once
#include <optional>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/chunk.hpp>

namespace mqtt {

/// Bytes of the whole packet, fixed header included. Nothing if it cannot be encoded: a field above
/// 65,535 bytes or a body above 268,435,455. Nothing else is checked: the caller's packet is the
/// caller's business (the session checks what it sends).
[[nodiscard]] std::optional<std::size_t> encoded_size(const PacketView& packet, Version version);

/// Writes the packet; false, and nothing written, where encoded_size() says nothing.
bool encode(OutBuffer& out, const PacketView& packet, Version version);

/// PUBLISH alone, without the variant, its payload copied or referenced (OutBuffer::append_shared);
/// `publish.payload` is ignored. The hot path.
bool encode_publish(OutBuffer& out, const PublishView& publish, const SharedBytes& payload, Version version);
[[nodiscard]] std::optional<std::size_t> encoded_publish_size(const PublishView& publish,
                                                              std::size_t payload_size, Version version);

}  // namespace mqtt
