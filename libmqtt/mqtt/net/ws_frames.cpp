#include <mqtt/net/ws_frames.hpp>

#include <fmt/format.h>
#include <wslay/wslay.h>

#include <algorithm>
#include <utility>

#include <mqtt/net/crypto.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt::net {
namespace {

using Kind = WsEvent::Kind;

WsEvent violation(std::uint16_t code, std::string text) {
  return {Kind::violation, {}, code, std::move(text)};
}
WsEvent protocol_error(std::string text) { return violation(ws_close::protocol_error, std::move(text)); }

bool is_control(const wslay_frame_iocb& frame) { return (frame.opcode & 8) != 0; }

/// Codes that may stand in a close frame (RFC 6455 section 7.4, and the registry up to 1014).
bool may_be_sent(std::uint16_t code) {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

WsFrames::WsFrames(WsRole role) : role_{role} {
  wslay_frame_callbacks callbacks{};
  callbacks.recv_callback = [](std::uint8_t* to, std::size_t size, int, void* self) -> ssize_t {
    const std::size_t got = static_cast<WsFrames*>(self)->intake_->read(to, size);
    return got > 0 ? static_cast<ssize_t>(got) : -1;  // "want read"
  };
  callbacks.send_callback = [](const std::uint8_t* from, std::size_t size, int, void* self) -> ssize_t {
    static_cast<WsFrames*>(self)->out_->append_copy({from, size});
    return static_cast<ssize_t>(size);
  };
  callbacks.genmask_callback = [](std::uint8_t* to, std::size_t size, void*) {
    fill_random({to, size});
    return 0;
  };
  wslay_frame_context_init(&context_, &callbacks, this);
}

WsFrames::~WsFrames() { wslay_frame_context_free(context_); }

WsEvent WsFrames::next(Intake& intake) {
  intake_ = &intake;
  wslay_frame_iocb frame{};
  const ssize_t size = wslay_frame_recv(context_, &frame);
  if (size == WSLAY_ERR_WANT_READ) return {};
  if (size < 0) return protocol_error("malformed WebSocket frame header");
  if (!std::exchange(in_frame_, true)) {
    frame_left_ = frame.payload_length;
    if (auto fault = begin_frame(frame); fault.kind == Kind::violation) return fault;
  }
  frame_left_ -= frame.data_length;
  in_frame_ = frame_left_ > 0;
  if (is_control(frame)) return on_control(frame);
  if (!in_frame_) in_message_ = !frame.fin;
  return {frame.data_length > 0 ? Kind::data : Kind::skipped, {frame.data, frame.data_length}, 0, {}};
}

WsEvent WsFrames::begin_frame(const wslay_frame_iocb& frame) {
  if (frame.rsv != 0) return protocol_error("WebSocket frame with reserved bits");
  // Clients mask, servers do not (RFC 6455 section 5.1).
  if (role_ == WsRole::server && !frame.mask)
    return protocol_error("WebSocket frame from a client without mask");
  if (role_ == WsRole::client && frame.mask) return protocol_error("WebSocket frame from a server with mask");
  switch (frame.opcode) {
    case WSLAY_TEXT_FRAME:  // [MQTT-6.0.0-1]
      return violation(ws_close::unsupported_data, "WebSocket text frame, where MQTT needs binary ones");
    case WSLAY_BINARY_FRAME:
      if (in_message_) return protocol_error("WebSocket message begins inside another one");
      in_message_ = true;
      return {};
    case WSLAY_CONTINUATION_FRAME:
      if (!in_message_) return protocol_error("WebSocket continuation frame without a message");
      return {};
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG: control_size_ = 0; return {};
    default: return protocol_error(fmt::format("WebSocket frame with unknown opcode {}", frame.opcode));
  }
}

WsEvent WsFrames::on_control(const wslay_frame_iocb& frame) {
  const std::size_t size = std::min(frame.data_length, control_.size() - control_size_);  // wslay has checked
  std::copy_n(frame.data, size, control_.begin() + static_cast<std::ptrdiff_t>(control_size_));
  control_size_ += size;
  const Bytes payload = Bytes{control_}.first(control_size_);
  if (in_frame_ || frame.opcode == WSLAY_PONG) return {Kind::skipped, {}, 0, {}};
  if (frame.opcode == WSLAY_PING) return {Kind::ping, payload, 0, {}};
  return parse_close(payload);
}

WsEvent parse_close(Bytes payload) {
  if (payload.empty()) return {Kind::close, {}, ws_close::no_status, {}};
  if (payload.size() == 1) return protocol_error("WebSocket close frame with half a status code");
  const auto code = static_cast<std::uint16_t>(payload[0] << 8 | payload[1]);
  if (!may_be_sent(code))
    return protocol_error(fmt::format("WebSocket close frame with status code {}", code));
  const Bytes reason = payload.subspan(2);
  const auto fault = find_utf8_error(reason);
  if (fault && fault->fault == Utf8Fault::ill_formed)
    return violation(ws_close::invalid_payload, "WebSocket close frame whose reason is not UTF-8");
  return {Kind::close, {}, code, to_string(reason)};
}

std::string describe_close_code(std::uint16_t code) {
  const auto name = [code]() -> std::string_view {
    switch (code) {
      case ws_close::normal: return "normal closure";
      case ws_close::going_away: return "going away";
      case ws_close::protocol_error: return "protocol error";
      case ws_close::unsupported_data: return "unsupported data";
      case ws_close::invalid_payload: return "invalid payload";
      case 1008: return "policy violation";
      case 1009: return "message too big";
      case 1010: return "extension missing";
      case 1011: return "internal error";
      case 1012: return "service restart";
      case 1013: return "try again later";
      case 1014: return "bad gateway";
      default: return {};
    }
  }();
  return name.empty() ? fmt::format("{}", code) : fmt::format("{} ({})", code, name);
}

void WsFrames::encode(OutBuffer& out, WsOpcode opcode, Parts& payload, std::size_t size) {
  out_ = &out;
  wslay_frame_iocb frame{};
  frame.fin = 1;
  frame.opcode = static_cast<std::uint8_t>(opcode);
  frame.mask = role_ == WsRole::client;
  frame.payload_length = size;
  do {  // once even for an empty payload: the header goes with the first piece
    const Bytes piece = payload.take(size);
    frame.data = piece.data();
    frame.data_length = piece.size();
    wslay_frame_send(context_, &frame);
    size -= piece.size();
  } while (size > 0);
}

void WsFrames::encode(OutBuffer& out, WsOpcode opcode, Bytes payload) {
  const iovec part{const_cast<std::uint8_t*>(payload.data()), payload.size()};
  Parts parts{{&part, 1}};
  encode(out, opcode, parts, payload.size());
}

void WsFrames::encode_close(OutBuffer& out, std::uint16_t code) {
  const std::array<std::uint8_t, 2> payload{static_cast<std::uint8_t>(code >> 8),
                                            static_cast<std::uint8_t>(code)};
  encode(out, WsOpcode::close, code == ws_close::no_status ? Bytes{} : Bytes{payload});
}

}  // namespace mqtt::net
