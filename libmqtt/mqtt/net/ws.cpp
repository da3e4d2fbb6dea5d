#include <mqtt/net/ws.hpp>

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include <mqtt/net/crypto.hpp>
#include <mqtt/net/filter_stream.hpp>
#include <mqtt/net/ws_frames.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

Error ws_error(std::string context) { return {ErrorDomain::websocket, 0, std::move(context)}; }

/// The frames of an upgraded connection as a stream. What precedes them, the upgrade, differs between
/// client and server.
class WsStream : public FilterStream {
 public:
  WsStream(Loop& loop, std::unique_ptr<ByteStream> below, WsRole role, Opened opened)
      : FilterStream{loop, std::move(below), std::move(opened)}, frames_{role} {}

  Result<std::size_t> write(std::span<const iovec> parts) override;
  void shutdown() override;
  StreamProperties properties() const override;

 protected:
  /// Works on the head of an upgrade, which is complete. May destroy this object.
  virtual void on_head(std::string_view head) = 0;
  /// True as long as the intake may become a head.
  virtual bool may_be_head(Bytes received) const = 0;

  void send_text(std::string_view text);
  void upgraded(std::string subprotocol);

 private:
  void process() override;
  void on_input_end() override;
  void on_output_drained() override;

  [[nodiscard]] bool read_head();
  [[nodiscard]] bool read_frame();
  void on_ping(Bytes payload);
  void on_close(const WsEvent& event);
  void on_violation(WsEvent event);

  // What one frame carries at most; a frame is masked into the output before it leaves.
  static constexpr std::size_t frame_max_bytes = 4 * ChunkPool::chunk_bytes;

  WsFrames frames_;
  std::string subprotocol_;
  std::optional<std::string> unanswered_ping_;  // the latest one is enough (RFC 6455 section 5.5.3)
  bool close_sent_ = false;
};

void WsStream::send_text(std::string_view text) {
  output().append_copy(as_bytes(text));
  flush();
}

void WsStream::upgraded(std::string subprotocol) {
  subprotocol_ = std::move(subprotocol);
  succeed();
}

void WsStream::process() {
  if (phase() == Phase::handshake && !read_head()) return;
  while (wants_data() && read_frame()) {
  }
}

/// True if the upgrade is done and this object still exists.
bool WsStream::read_head() {
  const Bytes received = intake().front();
  const auto size = http_head_size(received);
  if (!size) {
    if (!may_be_head(received))
      fail_with(ws_error("the peer does not speak HTTP, as a WebSocket upgrade needs"));
    else if (received.size() >= http_head_max_bytes)
      fail_with(ws_error("HTTP header of the WebSocket upgrade is too long"));
    return false;
  }
  const std::string head = to_string(received.first(*size));
  intake().skip(*size);
  const Lifetime::Watch watch{lifetime()};
  on_head(head);
  return !watch.ended() && phase() == Phase::open;
}

/// True if there may be more to read and this object still exists.
bool WsStream::read_frame() {
  WsEvent event = frames_.next(intake());
  switch (event.kind) {
    case WsEvent::Kind::need_more: return false;
    case WsEvent::Kind::skipped: return true;
    case WsEvent::Kind::ping: on_ping(event.bytes); return true;
    case WsEvent::Kind::close: on_close(event); return false;
    case WsEvent::Kind::violation: on_violation(std::move(event)); return false;
    case WsEvent::Kind::data: break;
  }
  const Lifetime::Watch watch{lifetime()};
  deliver(event.bytes);
  return !watch.ended();
}

void WsStream::on_ping(Bytes payload) {
  if (close_sent_) return;
  unanswered_ping_ = to_string(payload);
  if (!output().empty()) return;  // a peer that floods us with pings does not fill our memory
  on_output_drained();
  flush();
}

void WsStream::on_output_drained() {
  const auto ping = std::exchange(unanswered_ping_, std::nullopt);
  if (ping && !close_sent_) frames_.encode(output(), WsOpcode::pong, as_bytes(*ping));
}

void WsStream::on_close(const WsEvent& event) {
  if (!std::exchange(close_sent_, true)) frames_.encode_close(output(), event.code);
  end_output();
  const bool orderly = event.code == ws_close::normal || event.code == ws_close::going_away ||
                       event.code == ws_close::no_status;
  if (orderly) return deliver_end();
  std::string text = fmt::format("peer closed the WebSocket with {}", describe_close_code(event.code));
  if (!event.text.empty()) text += ": " + escape_for_terminal(event.text);
  fail_with(ws_error(std::move(text)));
}

void WsStream::on_violation(WsEvent event) {
  if (!std::exchange(close_sent_, true)) frames_.encode_close(output(), event.code);
  end_output();
  fail_with(ws_error(std::move(event.text)));
}

void WsStream::on_input_end() {
  if (phase() == Phase::handshake) return fail_with(ws_error("peer closed during the WebSocket upgrade"));
  end_output();
  deliver_end();  // no close frame; MQTT says itself whether it was complete
}

Result<std::size_t> WsStream::write(std::span<const iovec> parts) {
  if (auto fault = write_fault()) return std::unexpected(std::move(*fault));
  if (close_sent_) return mqtt::fail(ErrorDomain::system, EPIPE, "the connection is closed");
  Parts rest{parts};
  const std::size_t offered = rest.left();
  while (rest.left() > 0 && output().empty()) {
    frames_.encode(output(), WsOpcode::binary, rest, std::min(rest.left(), frame_max_bytes));
    flush();
  }
  return taken(offered - rest.left(), offered);
}

/// The inner stream ends when the peer has answered the close frame (RFC 6455 section 7.1.1).
void WsStream::shutdown() {
  if (phase() != Phase::open) return end_output();
  if (std::exchange(close_sent_, true)) return;
  frames_.encode_close(output(), ws_close::normal);
  flush();
}

StreamProperties WsStream::properties() const {
  StreamProperties all = inner().properties();
  all.subprotocol = subprotocol_;
  return all;
}

class WsClient final : public WsStream {
 public:
  WsClient(Loop& loop, std::unique_ptr<ByteStream> below, const WsOptions& options, Opened opened)
      : WsStream{loop, std::move(below), WsRole::client, std::move(opened)},
        request_{std::make_unique<Request>(Request{options, new_key()})},
        begin_{loop, [this] { begin(); }} {
    begin_.request();
  }

 private:
  struct Request {
    WsOptions options;
    WsKey key;
  };

  static WsKey new_key() {
    std::array<std::uint8_t, 16> bytes;
    fill_random(bytes);
    return to_base64(bytes);
  }

  void begin() {
    const auto text = format_upgrade_request(request_->options, request_->key);
    if (!text) return fail_with(text.error());
    send_text(*text);
    attach();
  }

  bool may_be_head(Bytes received) const override { return may_be_http_response(received); }

  void on_head(std::string_view head) override {
    const auto request = std::move(request_);
    auto subprotocol = check_upgrade_response(head, request->options, request->key);
    if (!subprotocol) return fail_with(std::move(subprotocol.error()));
    upgraded(std::move(*subprotocol));
  }

  std::unique_ptr<Request> request_;  // until it is answered
  TurnEnd begin_;
};

class WsServer final : public WsStream {
 public:
  WsServer(Loop& loop, std::unique_ptr<ByteStream> below, WsServerOptions options, Opened opened)
      : WsStream{loop, std::move(below), WsRole::server, std::move(opened)}, options_{std::move(options)} {
    attach();
  }

 private:
  bool may_be_head(Bytes received) const override { return may_be_http_request(received); }

  void on_head(std::string_view head) override {
    auto answer = answer_upgrade_request(head, options_);
    send_text(answer.response);
    if (!answer.refusal) return upgraded(std::move(answer.subprotocol));
    end_output();
    fail_with(std::move(*answer.refusal));
  }

  WsServerOptions options_;
};

}  // namespace

std::unique_ptr<ByteStream> make_ws_client(Loop& loop, std::unique_ptr<ByteStream> inner,
                                           const WsOptions& options, Opened opened) {
  return std::make_unique<WsClient>(loop, std::move(inner), options, std::move(opened));
}

std::unique_ptr<ByteStream> make_ws_server(Loop& loop, std::unique_ptr<ByteStream> inner,
                                           WsServerOptions options, Opened opened) {
  return std::make_unique<WsServer>(loop, std::move(inner), std::move(options), std::move(opened));
}

}  // namespace mqtt::net
