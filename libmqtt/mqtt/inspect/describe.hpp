#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/codec/packet.hpp>

namespace mqtt {

/// What a line shows, and what the packet itself does not tell.
struct DescribeOptions {
  bool show_secrets = false;               ///< passwords and authentication data as they are
  std::size_t payload_preview_bytes = 64;  ///< how much of a payload is shown
  /// The topic that a PUBLISH with a Topic Alias and no topic of its own stands for; empty if it is not
  /// known.
  std::string_view topic{};
  std::uint64_t left_out = 0;  ///< bytes of a PUBLISH's payload that are not there
  std::uint64_t size = 0;      ///< bytes of the packet; 0: those that it has if it is valid
  /// Of a packet that could not be read to its end: bytes of its body that were. "broken" stands behind
  /// them.
  std::optional<std::uint32_t> body_read{};
};

/// Appends a packet in one line, only what is not default:
/// "PUBLISH  q1 #7 plant/7/temp exp=60 up{src=plc3} 10B {"c":21.5}". The type is padded to eight
/// columns; the size is the payload's for PUBLISH, else the packet's. Control characters are escaped. Of a
/// Topic Alias: "@1:=plant/7/temp" where it is set, "plant/7/temp(@1)" where it is used, "@1?" if it is not
/// known.
void append_description(std::string& out, const PacketView& packet, Version version,
                        DescribeOptions options = {});

}  // namespace mqtt
