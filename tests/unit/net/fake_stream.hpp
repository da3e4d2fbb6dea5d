#pragma once
#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <mqtt/net/stream.hpp>

namespace mqtt::net::test {

/// The far side of a FakeStream; it outlives the stream.
struct Wire {
  StreamHandler* handler = nullptr;
  std::string written;
  std::size_t room = std::numeric_limits<std::size_t>::max();  ///< bytes that still fit
  std::optional<Error> write_error;
  bool paused = false;
  bool shut_down = false;
  bool closed = false;
  bool was_reset = false;
  bool owes_writable = false;

  [[nodiscard]] bool listening() const { return handler && !paused && !closed; }
  void push(std::string_view bytes) const {
    if (listening() && !bytes.empty()) handler->on_data(as_bytes(bytes));
  }
  void end() const {
    if (listening()) handler->on_end();
  }
  void fail(Error error) const {
    if (listening()) handler->on_error(std::move(error));
  }
  void make_room(std::size_t size) {
    room += size;
    if (room > 0 && !closed && std::exchange(owes_writable, false)) handler->on_writable();
  }
};

/// A stream whose other end is the test.
class FakeStream final : public ByteStream {
 public:
  explicit FakeStream(std::shared_ptr<Wire> wire) : wire_{std::move(wire)} {}
  ~FakeStream() override { wire_->closed = true; }

  void set_handler(StreamHandler* handler) override { wire_->handler = handler; }
  Result<std::size_t> write(std::span<const iovec> parts) override {
    if (wire_->write_error) return std::unexpected(*wire_->write_error);
    std::size_t taken = 0;
    for (const iovec& part : parts) {
      const std::size_t size = std::min(part.iov_len, wire_->room);
      wire_->written.append(static_cast<const char*>(part.iov_base), size);
      wire_->room -= size;
      taken += size;
      if (size < part.iov_len) wire_->owes_writable = true;
    }
    return taken;
  }
  void pause_reading() override { wire_->paused = true; }
  void resume_reading() override { wire_->paused = false; }
  void shutdown() override { wire_->shut_down = true; }
  void close() override { wire_->closed = true; }
  void reset() override { wire_->closed = wire_->was_reset = true; }
  std::string peer() const override { return "fake peer"; }
  StreamProperties properties() const override { return {}; }

 private:
  std::shared_ptr<Wire> wire_;
};

}  // namespace mqtt::net::test
