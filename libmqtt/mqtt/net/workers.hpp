#pragma once
#include <cstddef>
#include <functional>
#include <memory>

#include <mqtt/net/loop.hpp>

namespace mqtt::net {

/// A few threads for short work that would still hold the loop up: a password is checked. They begin with the
/// first work.
class Workers {
 public:
  /// Runs in the loop, after its work.
  using Done = std::function<void()>;
  /// Runs in one of the threads, and touches only what it owns.
  using Work = std::function<Done()>;

  Workers(Loop& loop, std::size_t threads_max);
  /// Waits for work that has begun, drops what has not, and no Done runs any more.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// A thread is free, or could be started.
  [[nodiscard]] bool has_room() const { return under_way_ < threads_max_; }
  /// Does not keep Loop::run() going. Where not even one thread can be started it is done at once, here.
  void run(Work work);

 private:
  struct State;

  void on_finished();

  std::size_t threads_max_;
  std::size_t under_way_ = 0;  // run() was called, and Done was not
  State* state_;
};

}  // namespace mqtt::net
