#pragma once
#include <cstddef>
#include <string>

#include <mqtt/codec/packet.hpp>

namespace mqtt {

struct DescribeOptions {
  bool show_secrets = false;               ///< passwords and authentication data as they are
  std::size_t payload_preview_bytes = 64;  ///< how much of a payload is shown
};

/// Appends a packet in one line, only what is not default:
/// "PUBLISH  q1 #7 plant/7/temp exp=60 up{src=plc3} 10B {"c":21.5}". The type is padded to eight
/// columns; the size is the payload's for PUBLISH, else the packet's. Control characters are escaped.
void append_description(std::string& out, const PacketView& packet, Version version,
                        DescribeOptions options = {});

}  // namespace mqtt
