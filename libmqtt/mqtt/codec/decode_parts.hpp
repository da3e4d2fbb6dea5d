#pragma once
#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/reader.hpp>

// The decoders of single packet types, shared by decode.cpp and the files that hold them.

namespace mqtt::detail {

template <class T>
using Decoded = std::expected<T, DecodeError>;

/// How a packet is decoded.
struct Task {
  Version version;
  Sender sender;
  FaultList* all = nullptr;  ///< takes all faults; without it the first one ends the decoding
};

Decoded<ConnectView> decode_connect(const Frame& frame, const Task& task);
Decoded<ConnackView> decode_connack(const Frame& frame, const Task& task);
Decoded<SubscribeView> decode_subscribe(const Frame& frame, const Task& task);
Decoded<SubackView> decode_suback(const Frame& frame, const Task& task);
Decoded<UnsubscribeView> decode_unsubscribe(const Frame& frame, const Task& task);
Decoded<UnsubackView> decode_unsuback(const Frame& frame, const Task& task);

/// All properties that `in` holds; of those that cannot be read to their end the ones in front.
PropertiesView read_properties(Reader& in, PropertyPlace place, Sender sender);

[[nodiscard]] inline Reader reader_of(const Frame& frame, const Task& task) {
  return Reader{frame.body(), task.version, frame.header_size, task.all};
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
