#pragma once
#include <chrono>
#include <cstdint>
#include <vector>

#include <mqtt/util/bytes.hpp>

namespace load {

class Client;

/// An epoll loop with one buffer for all reads. What clients queue leaves at the start of the next turn
/// and at the end of this one.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Waits for at most `wait` and serves what is ready. Clients are opened and destroyed between turns
  /// only.
  void turn(std::chrono::nanoseconds wait);

  /// Turns until `done()`; false at the deadline.
  template <class Done>
  [[nodiscard]] bool run_until(Done done, std::chrono::nanoseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      turn(std::chrono::milliseconds{20});
    }
    return true;
  }

 private:
  friend class Client;
  [[nodiscard]] int poller() const { return poller_; }
  [[nodiscard]] mqtt::MutableBytes buffer() { return buffer_; }
  void queue_flush(Client& client) { to_flush_.push_back(&client); }
  void forget(const Client& client);
  void flush();

  int poller_;
  std::vector<std::uint8_t> buffer_;
  std::vector<Client*> to_flush_;
  std::vector<Client*> flushing_;
};

}  // namespace load
