#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

constexpr std::size_t numbered_bytes = 25;

std::string numbered(std::size_t number) {
  const std::string digits = std::to_string(number);
  return std::string(numbered_bytes - 1 - digits.size(), '0') + digits + '\n';
}

/// How often this thread has gone to sleep, be it to wait or to rest.
long sleeps() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

/// A stream in the loop and the descriptor of its other end. A unix socket delivers inside write(2).
class CoalescingLoop : public testing::Test {
 protected:
  CoalescingLoop() {
    const std::string path = directory_.file("s");
    auto opened = Listener::open(
        loop_, {.unix_path = path, .tls = nullptr, .ws = {}},
        [this](auto accepted) {
          stream_ = std::move(accepted);
          stream_->set_handler(&recorder_);
        },
        [](const Error& error) { ADD_FAILURE() << error.context; });
    listener_ = std::move(*opened);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(connect(peer_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
        << std::strerror(errno);
    EXPECT_TRUE(run_until(loop_, [&] { return stream_ != nullptr; }));
  }
  ~CoalescingLoop() override { ::close(peer_); }

  /// False when the socket is full.
  [[nodiscard]] bool send_message(std::size_t number) const {
    const std::string text = numbered(number);
    return send(peer_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) == numbered_bytes;
  }

  /// Runs the loop under a stream whose next message is there before the loop waits, so that only a rest
  /// can put the thread to sleep. How often one did.
  [[nodiscard]] long sleeps_in(std::size_t turns) {
    std::size_t sent = 1;
    recorder_.after_data = [&] {
      if (sent == turns) return loop_.stop();
      EXPECT_TRUE(send_message(sent++));
    };
    EXPECT_TRUE(send_message(0));
    const long before = sleeps();
    loop_.run();
    recorder_.after_data = nullptr;
    return sleeps() - before;
  }

  void expect_messages_in_order(std::size_t count) const {
    std::string all;
    for (std::size_t number = 0; number < count; ++number) all += numbered(number);
    EXPECT_TRUE(recorder_.data == all) << recorder_.data.size() << " of " << all.size() << " bytes";
  }

  TempDirectory directory_;
  Loop loop_;
  Recorder recorder_;
  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<Listener> listener_;
  int peer_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

// Between turns that come at once the machine may still take the processor away, which is no sleep but
// may end a series of rests: hence a fifth, not all of the turns.
constexpr std::size_t busy_turns = 600;

TEST_F(CoalescingLoop, RestsBetweenBusyTurns) {
  loop_.set_coalescing(50us);
  EXPECT_GT(sleeps_in(busy_turns), static_cast<long>(busy_turns / 5));
  EXPECT_EQ(recorder_.data_calls, busy_turns);
  expect_messages_in_order(busy_turns);
}

TEST_F(CoalescingLoop, NeverRestsUnasked) {
  EXPECT_LT(sleeps_in(busy_turns), static_cast<long>(busy_turns / 10));
  EXPECT_EQ(recorder_.data_calls, busy_turns);
  expect_messages_in_order(busy_turns);
}

TEST_F(CoalescingLoop, NeverRestsWhenItIsTurnedOffAgain) {
  loop_.set_coalescing(50us);
  loop_.set_coalescing(0us);
  EXPECT_LT(sleeps_in(busy_turns), static_cast<long>(busy_turns / 10));
}

TEST_F(CoalescingLoop, TakesManyMessagesOfASteadyStreamInOneTurn) {
  constexpr auto pace = 20us;
  constexpr std::size_t many = 8, turns_in_a_row = 3;
  loop_.set_coalescing(1ms);
  std::atomic<bool> enough = false;
  std::size_t sent = 0;
  std::thread sender{[&] {
    for (auto next = std::chrono::steady_clock::now(); !enough;) {
      const auto now = std::chrono::steady_clock::now();
      if (now < next) continue;
      next = now + pace;  // what was missed does not come in one burst
      if (send_message(sent)) ++sent;
    }
  }};
  std::size_t seen = 0, in_a_row = 0;
  recorder_.after_data = [&] {
    const std::size_t taken = recorder_.data.size() - std::exchange(seen, recorder_.data.size());
    in_a_row = taken >= many * numbered_bytes ? in_a_row + 1 : 0;
    if (in_a_row == turns_in_a_row) loop_.stop();
  };
  Timer limit{loop_, [&] {
                ADD_FAILURE() << "not within the test's limit";
                loop_.stop();
              }};
  limit.set(loop_.refresh_now() + 2min);
  loop_.run();
  enough = true;
  sender.join();
  EXPECT_TRUE(run_until(loop_, [&] { return recorder_.data.size() >= sent * numbered_bytes; }));
  expect_messages_in_order(sent);
}

}  // namespace
}  // namespace mqtt::net::test
