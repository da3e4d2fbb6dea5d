#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

namespace mq::spy {

/// Hexadecimal digits, with blanks, colons, commas and "0x" between bytes. Nothing for anything else.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);

/// Bytes that are written as hexadecimal digits or base64, or are themselves.
[[nodiscard]] std::string bytes_of(std::string_view content);

/// What the arguments of decode stand for: digits, base64, a file, "-" or nothing for standard input.
/// Errors are of domain system.
[[nodiscard]] mqtt::Result<std::string> read_packets(const std::vector<std::string>& arguments);

/// How many bytes the packet takes that `bytes` begin with; nothing if it is cut or has no length.
[[nodiscard]] std::optional<std::size_t> whole_packet(mqtt::Bytes bytes);

/// Who seems to have sent it: by its type, else the side from which it has no fault.
[[nodiscard]] mqtt::Sender guess_sender(mqtt::Bytes packet, mqtt::Version version);

}  // namespace mq::spy
