#include <unit/net/net_test.hpp>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <thread>
#include <utility>

#include <mqtt/net/carried_stream.hpp>

namespace mqtt::net::test {
namespace {

/// A cancelled lookup leaves its thread behind. When a thread ends, libc frees its resolver's memory only
/// after the sanitizer has forgotten the thread: a process that ends just then seems to have leaked it. So
/// the test program ends after those threads.
class LastThreads final : public testing::Environment {
 public:
  void SetUp() override {
    setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);  // do not wait long for a name server that is busy
    pid_t first = 0;  // with its first thread a sanitizer starts one of its own
    std::thread{[&] { first = gettid(); }}.join();
    before_ = others();
    before_.erase(std::to_string(first));
  }
  void TearDown() override {
    constexpr auto limit = 2min;
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!others().empty() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(others().empty()) << "threads are left";
  }

 private:
  /// The threads that were not there before the tests.
  [[nodiscard]] std::set<std::string> others() const {
    std::set<std::string> threads;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/task"})
      if (const auto id = entry.path().filename(); !before_.contains(id)) threads.insert(id);
    return threads;
  }

  std::set<std::string> before_;
};

[[maybe_unused]] const auto* const last_threads = testing::AddGlobalTestEnvironment(new LastThreads);

}  // namespace

namespace {

void call(const std::function<void()>& hook) {
  const auto keep = hook;  // it may destroy its owner
  if (keep) keep();
}

}  // namespace

void Recorder::on_data(Bytes bytes) {
  ++data_calls;
  data += as_text(bytes);
  call(after_data);
}

void Recorder::on_writable() {
  ++writable_calls;
  call(after_writable);
}

void Recorder::on_end() {
  ++ends;
  call(after_end);
}

void Recorder::on_error(Error error) {
  errors.push_back(std::move(error));
  call(after_error);
}

Result<std::size_t> write_text(ByteStream& stream, std::string_view text) {
  const iovec part{const_cast<char*>(text.data()), text.size()};
  return stream.write({&part, 1});
}

void Sender::send(ByteStream& stream) {
  if (done()) return;
  const auto taken = write_text(stream, std::string_view{text_}.substr(sent_));
  if (taken) sent_ += *taken;
}

struct EchoServer::Guest final : StreamHandler {
  std::unique_ptr<ByteStream> stream;
  std::string waiting;
  std::size_t most_waiting = 0;
  bool peer_done = false;

  explicit Guest(std::unique_ptr<ByteStream> s) : stream{std::move(s)} { stream->set_handler(this); }

  void send() {
    const auto taken = write_text(*stream, waiting);
    if (taken) waiting.erase(0, *taken);
    most_waiting = std::max(most_waiting, waiting.size());
    if (waiting.empty())
      stream->resume_reading();
    else
      stream->pause_reading();
    if (waiting.empty() && peer_done) stream->shutdown();
  }
  void on_data(Bytes bytes) override {
    waiting += as_text(bytes);
    send();
  }
  void on_writable() override { send(); }
  void on_end() override {
    peer_done = true;
    send();
  }
  void on_error(Error) override { stream->close(); }
};

EchoServer::EchoServer(Loop& loop, ListenOptions options) {
  auto listener = Listener::open(
      loop, std::move(options),
      [this](std::unique_ptr<ByteStream> stream) {
        guests_.push_back(std::make_unique<Guest>(std::move(stream)));
      },
      [this](Error error) { failures_.push_back(std::move(error)); });
  if (listener)
    listener_ = std::move(*listener);
  else
    std::abort();  // loopback and port 0: a broken machine
}

EchoServer::~EchoServer() = default;

ByteStream& EchoServer::stream(std::size_t index) { return *guests_.at(index)->stream; }

std::size_t EchoServer::most_waiting() const {
  std::size_t most = 0;
  for (const auto& guest : guests_) most = std::max(most, guest->most_waiting);
  return most;
}

ScriptedServer::ScriptedServer(Loop& loop, std::string answer, Speak when) : answer_{std::move(answer)} {
  auto listener = Listener::open(
      loop, {},
      [this, when](std::unique_ptr<ByteStream> accepted) {
        stream = std::move(accepted);
        recorder.after_data = [this] { this->answer(); };
        stream->set_handler(&recorder);
        if (when == Speak::at_once) this->answer();
      },
      [](const Error&) {});
  listener_ = std::move(*listener);
}

void ScriptedServer::answer() {
  if (std::exchange(answered_, true)) return;
  static_cast<void>(write_text(*stream, answer_));
  if (hang_up_) stream->shutdown();
}

StreamTarget tcp_target(std::uint16_t port, std::string host) {
  StreamTarget target;
  target.hosts = {{std::move(host), port}};
  return target;
}

Result<std::unique_ptr<ByteStream>> open_now(Loop& loop, StreamTarget target) {
  std::optional<Result<std::unique_ptr<ByteStream>>> result;
  const Opening opening{loop, std::move(target), [&](auto opened) { result = std::move(opened); }};
  if (!run_until(loop, [&] { return result.has_value(); }))
    return fail(ErrorDomain::timeout, 0, "the test's own limit passed");
  return std::move(*result);
}

Result<std::unique_ptr<ByteStream>> open_carried(LoopThread& thread, StreamTarget target) {
  std::optional<Result<std::unique_ptr<ByteStream>>> result;
  std::unique_ptr<Opening> opening;  // the thread's
  thread.begin_use();
  thread.post([&, target = std::move(target)](Bytes) mutable {
    opening = std::make_unique<Opening>(thread.loop(), std::move(target), [&](auto opened) {
      StreamProperties agreed = opened ? (*opened)->properties() : StreamProperties{};
      std::string peer = opened ? (*opened)->peer() : "";
      thread.post_home(
          [&, opened = std::move(opened), peer = std::move(peer), agreed = std::move(agreed)](Bytes) mutable {
            result = std::move(opened);
            if (*result)
              result = carry(thread, std::move(peer), std::move(agreed),
                             [stream = std::move(**result)](Loop&) mutable { return std::move(stream); });
          });
    });
  });
  const bool decided = run_until(thread.home(), [&] { return result.has_value(); });
  bool closed = false;
  thread.post([&](Bytes) {
    opening.reset();
    thread.post_home([&](Bytes) { closed = true; });
  });
  if (!run_until(thread.home(), [&] { return closed; }) || !decided) std::abort();
  thread.end_use();
  return std::move(*result);
}

DeafPort::DeafPort() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
  getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

bool DeafPort::listen_with_full_queue() {
  if (listen(fd_, 0) != 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  constexpr int clients = 8;  // more than any kernel's idea of a queue of none
  for (int i = 0; i < clients; ++i) {
    waiting_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    static_cast<void>(connect(waiting_.back(), reinterpret_cast<sockaddr*>(&address), sizeof address));
  }
  return true;
}

DeafPort::~DeafPort() {
  for (const int fd : waiting_) ::close(fd);
  ::close(fd_);
}

}  // namespace mqtt::net::test
