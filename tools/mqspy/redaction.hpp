#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <mqtt/codec/types.hpp>
#include <mqtt/inspect/dissect.hpp>
#include <mqtt/util/bytes.hpp>

namespace mq::spy {

/// Bytes of a packet that nobody should see.
struct SecretRange {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

/// Passwords and authentication data; of a packet that may hold some and cannot be taken apart, all that is
/// not understood.
[[nodiscard]] std::vector<SecretRange> secret_ranges(const mqtt::Dissection& dissection);

/// The packet with '*' in place of each byte that is secret.
[[nodiscard]] std::string redacted(mqtt::Bytes packet, mqtt::DecodeContext context);

/// The same of what was made of a packet on purpose, and may be none any more: what stands where a secret
/// stood may be one.
[[nodiscard]] std::string redacted_change(mqtt::Bytes original, mqtt::Bytes changed,
                                          mqtt::DecodeContext context);

}  // namespace mq::spy
