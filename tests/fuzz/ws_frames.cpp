// Frames from a peer, over a stream in memory. First byte: role. Then pieces, each with its size before it.
// However the bytes are cut, and wherever reading pauses, the handler hears the same.
#include <cstdlib>
#include <optional>

#include <mqtt/net/ws.hpp>
#include <unit/net/fake_stream.hpp>

using namespace mqtt;
using namespace mqtt::net;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

struct Listener final : StreamHandler {
  ByteStream* stream = nullptr;
  bool pauses = false;
  std::string data;
  std::size_t ends = 0;
  std::optional<Error> error;

  void on_data(Bytes bytes) override {
    require(!bytes.empty() && ends == 0 && !error);
    data += as_text(bytes);
    if (pauses) stream->pause_reading();
  }
  void on_writable() override {}
  void on_end() override { require(++ends == 1 && !error); }
  void on_error(Error e) override {
    require(ends == 0 && !error);
    error = std::move(e);
  }
};

struct Heard {
  std::string data;
  std::size_t ends;
  std::string error;
  bool operator==(const Heard&) const = default;
};

constexpr const char* request =
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

std::string response_to(const std::string& written) {
  constexpr std::string_view name = "Sec-WebSocket-Key: ";
  const std::string key = written.substr(written.find(name) + name.size(), 24);
  return "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         ws_accept_for(key) + "\r\n\r\n";
}

/// A stream of one role, upgraded.
class Session {
 public:
  Session(Loop& loop, bool server, bool pauses) : loop_{loop} {
    auto below = std::make_unique<test::FakeStream>(wire_);
    const auto opened = [](const Result<void>& result) { require(result.has_value()); };
    WsOptions options;
    options.host = "h";
    stream_ = server ? make_ws_server(loop, std::move(below), {}, opened)
                     : make_ws_client(loop, std::move(below), options, opened);
    loop_.run();  // no handle: only the hooks
    wire_->push(server ? request : response_to(wire_->written));
    listener_.stream = stream_.get();
    listener_.pauses = pauses;
    stream_->set_handler(&listener_);
    loop_.run();
    wire_->written.clear();
  }

  void push(std::string_view bytes) {
    wire_->push(bytes);
    while (listener_.pauses && wire_->paused && listener_.ends == 0 && !listener_.error) {
      stream_->resume_reading();
      loop_.run();
    }
  }

  Heard end(std::size_t pushed) {
    wire_->end();
    require(wire_->written.size() <= 16 * (pushed + 1));  // pongs and a close frame
    require(listener_.data.size() <= pushed);
    return {listener_.data, listener_.ends, listener_.error ? listener_.error->context : ""};
  }

 private:
  Loop& loop_;
  std::shared_ptr<test::Wire> wire_ = std::make_shared<test::Wire>();
  Listener listener_;
  std::unique_ptr<ByteStream> stream_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Loop loop;
  if (size == 0 || size > 70'000) return 0;
  const bool server = data[0] % 2 == 1;
  Session cut{loop, server, false}, pausing{loop, server, true}, whole{loop, server, false};
  std::string all;
  for (std::string_view rest = as_text({data + 1, size - 1}); !rest.empty();) {
    const auto piece = rest.substr(1, static_cast<std::uint8_t>(rest[0]));
    cut.push(piece);
    pausing.push(piece);
    all += piece;
    rest.remove_prefix(1 + piece.size());
  }
  whole.push(all);
  const Heard heard = whole.end(all.size());
  require(cut.end(all.size()) == heard);
  require(pausing.end(all.size()) == heard);
  return 0;
}
