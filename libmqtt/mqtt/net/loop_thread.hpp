#pragma once
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/mailbox.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// A thread with a loop of its own, and a mailbox each way between that and the loop it was started from: its
/// home, which it belongs to. Home's thread is the one that makes and destroys it, after all that it was
/// given.
class LoopThread {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LoopThread>> start(Loop& home);
  /// stop(), unless that was.
  ~LoopThread();
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  // In the thread of its home.

  [[nodiscard]] Loop& home() { return home_; }
  /// `call` runs in the thread.
  void post(Mailbox::Call call, Bytes bytes = {}) { to_thread_.post(std::move(call), bytes); }
  void post(Mailbox::Call call, Parts& bytes, std::size_t size) {
    to_thread_.post(std::move(call), bytes, size);
  }
  /// What was posted is handed over now: before anything that another thread is told of later.
  void hand_over() { to_thread_.hand_over(); }
  /// What was posted before is done; then the thread ends. Not to be called from a call that it has posted.
  /// Threads that tell each other things are all stopped before one of them is destroyed.
  void stop();
  /// Something that the thread is to do goes on until end_use(); home's run() waits for it.
  void begin_use();
  void end_use();
  [[nodiscard]] std::size_t uses() const { return uses_; }

  // In the thread.

  [[nodiscard]] Loop& loop() { return loop_; }
  /// `call` runs at home.
  void post_home(Mailbox::Call call, Bytes bytes = {}) { to_home_.post(std::move(call), bytes); }

  // For who connects it with others, before it has anything to do.

  /// Where others leave what it is to do.
  [[nodiscard]] Inbox& inbox() { return inbox_; }
  [[nodiscard]] Mailbox& to_home() { return to_home_; }

 private:
  LoopThread(Loop& home, OwnedFd home_event, OwnedFd thread_event);

  Loop& home_;
  Loop loop_;  // outlives the calls that wait: they may have its streams
  Inbox inbox_;
  Inbox home_inbox_;
  Mailbox to_thread_;
  Mailbox to_home_;
  std::size_t uses_ = 0;
  std::thread thread_;
};

}  // namespace mqtt::net
