#pragma once
#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/reader.hpp>

// The decoders of single packet types, shared by decode.cpp and the files that hold them.

namespace mqtt::detail {

template <class T>
using Decoded = std::expected<T, DecodeError>;

Decoded<ConnectView> decode_connect(const Frame& frame);
Decoded<ConnackView> decode_connack(const Frame& frame, DecodeContext context);
Decoded<SubscribeView> decode_subscribe(const Frame& frame, DecodeContext context);
Decoded<SubackView> decode_suback(const Frame& frame, DecodeContext context);
Decoded<UnsubscribeView> decode_unsubscribe(const Frame& frame, DecodeContext context);
Decoded<UnsubackView> decode_unsuback(const Frame& frame, DecodeContext context);

[[nodiscard]] inline Reader reader_of(const Frame& frame, Version version) {
  return Reader{frame.body(), version, frame.header_size};
}

/// A Reason Code that `type` may carry, sent by `sender`.
inline ReasonCode reason_code(Reader& in, PacketType type, Sender sender, Clause clause) {
  const std::uint32_t at = in.offset();
  const auto code = static_cast<ReasonCode>(in.byte());
  if (in.ok() && !reason_allowed(code, type, sender))
    in.fail(clause, "reason code does not belong in this packet", ReasonCode::protocol_error, at);
  return code;
}

}  // namespace mqtt::detail
