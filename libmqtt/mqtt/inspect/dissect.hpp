#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/decode.hpp>
#include <mqtt/inspect/describe.hpp>

namespace mqtt {

enum class FieldKind : std::uint8_t {
  number,  ///< `number`
  name,    ///< `number`, and in `text` what the specification calls it: a packet type, a reason code
  text,    ///< `text`: a UTF-8 string, well-formed or not
  binary,  ///< `text`: bytes
  secret,  ///< `text`: a password or authentication data
  pair,    ///< `key` and `text`
  raw,     ///< bytes that cannot be taken apart: from where a packet's structure is lost to its end
};

/// One field of a packet. Views point into the packet or to static storage.
struct Field {
  std::string_view name;  ///< as the specification of the packet's version writes it
  std::uint32_t offset = 0;
  std::uint32_t size = 0;  ///< bytes, with the length of a string and the identifier of a property
  /// Which bits of the byte, for a part of the field before it; 0 for a field of whole bytes.
  std::uint8_t bits = 0;
  FieldKind kind = FieldKind::number;
  std::uint32_t number = 0;
  std::string_view text{};
  std::string_view key{};
};

/// More fields than any packet has that was made for its content: what comes behind is one raw field, so that
/// a packet of empty topic filters cannot fill the memory.
inline constexpr std::size_t fields_max = 65'536;

/// A packet, field by field, and its faults.
struct Dissection {
  /// Fields of whole bytes follow each other and cover each byte of the packet once; each is followed by
  /// its parts, if it has any, which cover each of its bits once.
  std::vector<Field> fields;
  /// What read_packet() finds wrong. A wrong value does not end the dissection: fields go on behind it as
  /// long as their places are known.
  std::vector<DecodeError> faults;
};

/// Takes the packet apart that `bytes` start with; it may be cut. `out` is overwritten, its storage is used
/// again. The version in `context` counts from CONNECT on, which says its own.
void dissect(Dissection& out, Bytes bytes, DecodeContext context);

/// "60", "Success (0x00)", "plant/7/temp", "src=plc3"; secrets as *** unless asked for. Control characters
/// are escaped, and what is not UTF-8 is base64.
void append_value(std::string& out, const Field& field, DescribeOptions options = {});

}  // namespace mqtt
