#include "mqspy/content.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <mqtt/codec/decode.hpp>
#include <mqtt/inspect/flow.hpp>
#include <mqtt/net/http_head.hpp>
#include <mqtt/net/http_upgrade.hpp>
#include <mqtt/net/proxy_header.hpp>

#include "mqspy/packet_input.hpp"

namespace mq::spy {
namespace {

using mqtt::Bytes;
using mqtt::Sender;
using mqtt::TimePoint;

/// So much is looked at before a connection is given up as something else.
constexpr std::size_t early_max_bytes = 32 * 1024;
constexpr std::size_t early_max_pieces = 16;
constexpr std::uint16_t mqtt_port = 1883;

bool starts_with(Bytes bytes, std::string_view text) {
  return mqtt::as_text(bytes).substr(0, text.size()) == text.substr(0, bytes.size());
}

/// Bytes of a complete PROXY preamble; 0: there is none; nothing: it is not complete.
std::optional<std::size_t> preamble_size(Bytes begin, std::string& source) {
  constexpr std::string_view v2{"\r\n\r\n\0\r\nQUIT\n", 12};
  if (!starts_with(begin, "PROXY ") && !starts_with(begin, v2)) return 0;
  const auto header = mqtt::net::parse_proxy_header(begin);
  if (!header) return 0;
  if (!*header) return std::nullopt;
  if ((*header)->source) source = (*header)->source->text();
  return (*header)->size;
}

/// CONNECT's fixed header and protocol name, as far as they are there.
Content recognize_connect(Bytes begin) {
  std::size_t at = 1;
  while (at < begin.size() && at < 5 && (begin[at] & 0x80) != 0) ++at;
  if (at >= begin.size()) return Content::undecided;
  if ((begin[at] & 0x80) != 0) return Content::other;
  const Bytes name = begin.subspan(at + 1);
  const bool fits = starts_with(name, {"\0\4MQTT", 6}) || starts_with(name, {"\0\6MQIsdp", 8});
  if (!fits) return Content::other;
  return name.size() >= 6 ? Content::mqtt : Content::undecided;
}

/// Of the client, among those that it offers; of the server, the one that it selects.
bool names_mqtt(const mqtt::net::HttpHead& head) {
  const auto names = head.list("Sec-WebSocket-Protocol");
  return std::ranges::find(names, "mqtt") != names.end();
}

}  // namespace

Content recognize(Bytes begin) {
  if (begin.empty()) return Content::undecided;
  if (begin[0] >> 4 == 1 && begin[0] != 0x16) return recognize_connect(begin);
  if (begin[0] == 0x16)
    return begin.size() < 2 ? Content::undecided : begin[1] == 3 ? Content::tls : Content::other;
  if (!mqtt::net::may_be_http_request(begin)) return Content::other;
  const auto size = mqtt::net::http_head_size(begin);
  if (!size) return begin.size() < mqtt::net::http_head_max_bytes ? Content::undecided : Content::other;
  const auto head = mqtt::net::parse_http_head(mqtt::as_text(begin.first(*size)));
  return head && head->lists("Upgrade", "websocket") ? Content::websocket : Content::other;
}

std::size_t count_packets(Bytes bytes, Sender sender) {
  std::size_t count = 0;
  while (!bytes.empty()) {
    const auto size = whole_packet(bytes);
    if (!size) return 0;
    const Bytes packet = bytes.first(*size);
    std::size_t header_size = 1;
    while (header_size < *size && (packet[header_size] & 0x80) != 0) ++header_size;
    const mqtt::Frame frame{packet, static_cast<std::uint8_t>(header_size + 1)};
    const bool good = mqtt::decode(frame, {mqtt::Version::v5, sender}).has_value() ||
                      mqtt::decode(frame, {mqtt::Version::v3_1_1, sender}).has_value();
    if (!good) return 0;
    ++count;
    bytes = bytes.subspan(*size);
  }
  return count;
}

ConnectionContent::ConnectionContent(Recorder& recorder, std::uint64_t& tls, const NetEnd& first,
                                     const NetEnd& second)
    : recorder_{recorder}, tls_{tls}, ends_{first, second} {}

void ConnectionContent::began_with_syn(unsigned client, TimePoint time) {
  from_start_ = true;
  client_ = client;
  if (!began_) began_ = time;
}

bool ConnectionContent::usual_port() const {
  return ends_[0].port == mqtt_port || ends_[1].port == mqtt_port;
}

std::string ConnectionContent::ends() const {
  return fmt::format("{} {}", to_string(ends_[client_]), to_string(ends_[1 - client_]));
}

void ConnectionContent::on_bytes(unsigned side, TimePoint time, Bytes bytes) {
  if (bytes.empty()) return;
  if (content_ == Content::undecided) return wait(side, time, bytes);
  take(side, time, bytes);
}

void ConnectionContent::take(unsigned side, TimePoint time, Bytes bytes) {
  if (content_ == Content::mqtt) return recorder_.receive(*id_, sender_of(side), time, bytes);
  if (content_ == Content::websocket) take_websocket(side, time, bytes);
}

void ConnectionContent::wait(unsigned side, TimePoint time, Bytes bytes) {
  if (!began_) began_ = time;
  early_[side] += mqtt::as_text(bytes);
  pieces_.push_back({side, time, {bytes.begin(), bytes.end()}});
  const Content content = judge();
  if (content != Content::undecided) return decide(content);
  if (early_[0].size() + early_[1].size() > early_max_bytes || pieces_.size() > early_max_pieces)
    decide(Content::other);
}

Content ConnectionContent::judge() {
  if (from_start_) {
    const Content content = judge_start(client_);
    // Something that is wrong from its first byte: on MQTT's own port it is worth a look.
    return content == Content::other && usual_port() && !starts_with(mqtt::as_bytes(early_[client_]), "GET ")
               ? Content::mqtt
               : content;
  }
  for (const unsigned side : {0U, 1U}) {
    const Content content = judge_start(side);
    if (content != Content::mqtt && content != Content::websocket && content != Content::tls) continue;
    client_ = side;
    from_start_ = content != Content::tls;
    return content;
  }
  return judge_middle();
}

Content ConnectionContent::judge_start(unsigned side) {
  const Bytes begin = mqtt::as_bytes(early_[side]);
  const auto preamble = preamble_size(begin, behind_);
  if (!preamble) return Content::undecided;
  const Content content = recognize(begin.subspan(*preamble));
  if (content == Content::mqtt || content == Content::websocket) skip_ = *preamble;
  return content;
}

/// Whole packets one behind the other in segments are no accident, once there are a few.
Content ConnectionContent::judge_middle() {
  std::array<std::array<std::size_t, 2>, 2> count{};  // by side, by who would be sending
  for (const Piece& piece : pieces_)
    for (const Sender sender : {Sender::client, Sender::server})
      count[piece.side][static_cast<std::size_t>(sender)] += count_packets(piece.bytes, sender);
  const std::size_t straight = count[0][0] + count[1][1], crossed = count[0][1] + count[1][0];
  client_ = straight == crossed  ? (ends_[0].port == mqtt_port ||
                                   (ends_[1].port != mqtt_port && ends_[0].port < ends_[1].port))
            : straight > crossed ? 0
                                 : 1;
  if (exported_ || usual_port()) return Content::mqtt;
  return std::max(straight, crossed) >= 3 ? Content::mqtt : Content::undecided;
}

void ConnectionContent::decide(Content content) {
  content_ = content;
  if (content == Content::tls) {
    constexpr std::uint64_t told_max = 10;
    if (++tls_ <= told_max) recorder_.note(fmt::format("{}: TLS, which cannot be read", ends()), began_);
  }
  if (content != Content::mqtt && content != Content::websocket) return ignore({});
  open(content == Content::mqtt ? "tcp" : "ws");
  replay();
}

void ConnectionContent::open(std::string_view transport) {
  LinkInfo info{.client = to_string(ends_[client_]),
                .server = to_string(ends_[1 - client_]),
                .transport = exported_ ? std::string{} : std::string{transport}};
  if (!behind_.empty()) info.client = fmt::format("{} by {}", behind_, info.client);
  if (!from_start_) info.start = exported_ ? mqtt::Flow::Start::excerpt : mqtt::Flow::Start::middle;
  id_ = recorder_.open(std::move(info), *began_);
}

void ConnectionContent::replay() {
  const std::vector<Piece> pieces = std::move(pieces_);
  pieces_ = {};
  early_ = {};
  for (const Piece& piece : pieces) {
    Bytes bytes = piece.bytes;
    const std::size_t skipped = piece.side == client_ ? std::min(skip_, bytes.size()) : 0;
    skip_ -= skipped;
    take(piece.side, piece.time, bytes.subspan(skipped));
  }
}

void ConnectionContent::ignore(std::string_view why) {
  if (!why.empty()) recorder_.note(why, {}, id_);
  content_ = Content::other;
  pieces_ = {};
  early_ = {};
}

void ConnectionContent::on_missing(unsigned side, TimePoint time, std::uint64_t bytes) {
  if (content_ == Content::mqtt) return recorder_.gap(*id_, sender_of(side), time, bytes);
  if (content_ == Content::websocket) {
    recorder_.gap(*id_, sender_of(side), time, bytes);
    return ignore("WebSocket frames cannot be found again behind a gap");
  }
  // What was before it says nothing any more.
  from_start_ = false;
  pieces_.clear();
  early_ = {};
}

void ConnectionContent::on_left_out(unsigned side, TimePoint time, std::uint64_t bytes) {
  if (content_ == Content::mqtt) recorder_.leave_out(*id_, sender_of(side), time, bytes);
}

void ConnectionContent::close(std::optional<unsigned> by, mqtt::FlowClose::How how, TimePoint time) {
  // Somebody came to MQTT's port and said nothing.
  if (content_ == Content::undecided && from_start_ && ends_[1 - client_].port == mqtt_port) {
    content_ = Content::mqtt;
    open("tcp");
    replay();
  }
  if (!id_) return;
  recorder_.close(*id_, {.by = by ? std::optional{sender_of(*by)} : std::nullopt, .how = how, .time = time});
}

void ConnectionContent::take_websocket(unsigned side, TimePoint time, Bytes bytes) {
  using mqtt::net::WsRole;
  if (!ws_[side]) ws_[side] = std::make_unique<WebSocket>(side == client_ ? WsRole::server : WsRole::client);
  WebSocket& ws = *ws_[side];
  if (ws.over) return;
  if (!ws.framed) bytes = take_head(ws, side, bytes);
  if (!ws.framed || content_ != Content::websocket) return;
  ws.intake.push(bytes);
  take_frames(ws, side, time);
  if (content_ == Content::websocket) ws.intake.hold_rest();
}

/// Gives what is behind the head.
Bytes ConnectionContent::take_head(WebSocket& ws, unsigned side, Bytes bytes) {
  const std::size_t before = ws.head.size();
  ws.head += mqtt::as_text(bytes);
  const auto size = mqtt::net::http_head_size(mqtt::as_bytes(ws.head));
  if (!size) {
    if (ws.head.size() > mqtt::net::http_head_max_bytes) ignore("no WebSocket: a head that does not end");
    return {};
  }
  const std::string text = ws.head.substr(0, *size);
  const auto head = mqtt::net::parse_http_head(text);
  const auto status = head && side != client_ ? mqtt::net::parse_http_status(head->start_line) : std::nullopt;
  if (side != client_ && (!status || status->code != 101)) {
    ignore("the server refused the upgrade to WebSocket");
    return {};
  }
  if (side != client_ && !head->values("Sec-WebSocket-Extensions").empty()) {
    ignore("WebSocket with an extension (compression), which cannot be read");
    return {};
  }
  if (mqtt::WebSocketFacts* const facts = head ? recorder_.websocket(*id_) : nullptr)
    (side == client_ ? facts->offers_mqtt : facts->selects_mqtt) = names_mqtt(*head);
  ws.framed = true;
  return bytes.subspan(*size - before);
}

void ConnectionContent::tell_text_frame(unsigned side) {
  if (mqtt::WebSocketFacts* const facts = recorder_.websocket(*id_))
    facts->sent_text[static_cast<std::size_t>(sender_of(side))] = true;
}

void ConnectionContent::take_frames(WebSocket& ws, unsigned side, TimePoint time) {
  using Kind = mqtt::net::WsEvent::Kind;
  for (;;) {
    const mqtt::net::WsEvent event = ws.frames.next(ws.intake);
    if (event.kind == Kind::need_more) return;
    if (event.kind == Kind::data) recorder_.receive(*id_, sender_of(side), time, event.bytes);
    if (event.code == mqtt::net::ws_close::unsupported_data && event.kind == Kind::violation)
      tell_text_frame(side);
    if (event.kind == Kind::violation) recorder_.note(fmt::format("WebSocket: {}", event.text), time, id_);
    ws.over = event.kind == Kind::violation || event.kind == Kind::close;
    if (ws.over) return;
  }
}

}  // namespace mq::spy
