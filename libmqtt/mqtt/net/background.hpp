#pragma once
#include <functional>
#include <memory>

#include <mqtt/net/loop.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// Work that cannot be interrupted (a name server is asked), in a thread of its own. Destroying this leaves
/// it behind.
///
/// Not libuv's pool: its threads are joined when the process ends, so a name server that does not answer
/// would hold a tool for half a minute after its deadline; a cancelled thread is simply left behind. One that
/// is done is joined, so that nothing of it is left when the process ends.
class Background {
 public:
  /// `work` runs in the thread and touches only what it owns; `done` comes from the loop after it, or with an
  /// error when no thread can be started, and may destroy this object.
  Background(Loop& loop, std::function<void()> work, std::function<void(Result<void>)> done);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

 private:
  struct Job;

  void abandon();
  void finish(Result<void> result);

  std::function<void(Result<void>)> done_;
  std::shared_ptr<Job> job_;
  TurnEnd failed_;
};

}  // namespace mqtt::net
