#pragma once
#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/listener.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/loop_thread.hpp>
#include <mqtt/net/open_stream.hpp>
#include <mqtt/net/stream.hpp>

#include "support/temp_directory.hpp"

namespace mqtt::net::test {

using namespace std::chrono_literals;

/// Runs turns of the loop until `done()`; false if that has not come after `limit`.
template <class Done>
[[nodiscard]] bool run_until(Loop& loop, Done done, Duration limit = 2min) {
  bool late = false;
  Timer watchdog{loop, [&] { late = true; }};
  watchdog.set(loop.refresh_now() + limit);
  // A turn ends with hooks that may be what is waited for, and then the loop waits for more.
  std::unique_ptr<Timer> look;
  look = std::make_unique<Timer>(loop, [&] { look->set(loop.now() + 1ms); });
  look->set(loop.now());
  while (!done() && !late) uv_run(loop.handle(), UV_RUN_ONCE);
  return !late;
}

/// Runs what is ready now, without waiting.
inline void run_ready(Loop& loop) {
  Timer far{loop, [] {}};  // libuv runs no turn at all when there is nothing to wait for
  far.set(loop.refresh_now() + 1h);
  for (int turn = 0; turn < 3; ++turn) uv_run(loop.handle(), UV_RUN_NOWAIT);
}

using mqtt::test::TempDirectory;

/// Keeps what it hears; hooks run after that, and may destroy the stream and the recorder's owner.
struct Recorder final : StreamHandler {
  std::string data;
  std::size_t data_calls = 0;
  std::size_t writable_calls = 0;
  std::size_t ends = 0;
  std::vector<Error> errors;
  std::function<void()> after_data, after_writable, after_end, after_error;

  void on_data(Bytes bytes) override;
  void on_writable() override;
  void on_end() override;
  void on_error(Error error) override;
  [[nodiscard]] bool over() const { return ends > 0 || !errors.empty(); }
};

/// One gathered write of one part.
[[nodiscard]] Result<std::size_t> write_text(ByteStream& stream, std::string_view text);

/// Writes all of a text over as many turns as it takes.
class Sender {
 public:
  explicit Sender(std::string text) : text_{std::move(text)} {}
  /// To be called first and from each on_writable().
  void send(ByteStream& stream);
  [[nodiscard]] bool done() const { return sent_ == text_.size(); }
  [[nodiscard]] std::size_t sent() const { return sent_; }

 private:
  std::string text_;
  std::size_t sent_ = 0;
};

/// Listens, and sends back what each connection says; reading waits while writing is blocked.
class EchoServer {
 public:
  EchoServer(Loop& loop, ListenOptions options);
  ~EchoServer();

  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
  [[nodiscard]] std::size_t connections() const { return guests_.size(); }
  [[nodiscard]] ByteStream& stream(std::size_t index);
  [[nodiscard]] const std::vector<Error>& failures() const { return failures_; }
  /// The most that was waiting to be sent back, over all connections.
  [[nodiscard]] std::size_t most_waiting() const;

 private:
  struct Guest;
  std::vector<std::unique_ptr<Guest>> guests_;
  std::vector<Error> failures_;
  std::unique_ptr<Listener> listener_;
};

/// Accepts plain TCP, says `answer` when the first bytes come (or at once), and keeps the rest.
class ScriptedServer {
 public:
  enum class Speak { at_once, when_asked };
  ScriptedServer(Loop& loop, std::string answer, Speak when = Speak::when_asked);

  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
  /// After the answer, end the connection.
  void hang_up_after_answer() { hang_up_ = true; }
  Recorder recorder;
  std::unique_ptr<ByteStream> stream;

 private:
  void answer();
  std::string answer_;
  bool hang_up_ = false;
  bool answered_ = false;
  std::unique_ptr<Listener> listener_;
};

[[nodiscard]] StreamTarget tcp_target(std::uint16_t port, std::string host = "127.0.0.1");

/// Opens a stream and runs the loop until that is decided.
[[nodiscard]] Result<std::unique_ptr<ByteStream>> open_now(Loop& loop, StreamTarget target);

/// The same, by `thread`, for its home.
[[nodiscard]] Result<std::unique_ptr<ByteStream>> open_carried(LoopThread& thread, StreamTarget target);

/// A port on 127.0.0.1 where nobody listens: bound, never listened on.
class DeafPort {
 public:
  DeafPort();
  ~DeafPort();
  DeafPort(const DeafPort&) = delete;
  DeafPort& operator=(const DeafPort&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// From here on the kernel drops what comes, as a silent host does. False if it does not.
  [[nodiscard]] bool listen_with_full_queue();

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::vector<int> waiting_;
};

}  // namespace mqtt::net::test
