#include <mqtt/net/workers.hpp>

#include <uv.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <mqtt/net/uv_handle.hpp>

namespace mqtt::net {

struct Workers::State {
  uv_async_t handle{};
  std::vector<std::thread> threads;  // of the loop's side
  std::mutex mutex;
  std::condition_variable wanted;
  // Guarded:
  std::deque<Work> waiting;
  std::vector<Done> finished;
  bool ending = false;

  void serve() {
    std::unique_lock lock{mutex};
    for (;;) {
      wanted.wait(lock, [this] { return ending || !waiting.empty(); });
      if (ending) return;
      const Work work = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      Done done = work();
      lock.lock();
      finished.push_back(std::move(done));
      uv_async_send(&handle);
    }
  }

  bool start_thread() {
    try {
      threads.emplace_back([this] { serve(); });
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }
};

Workers::Workers(Loop& loop, std::size_t threads_max) : threads_max_{threads_max}, state_{new State} {
  uv_async_init(loop.handle(), &state_->handle,
                [](uv_async_t* handle) { static_cast<Workers*>(handle->data)->on_finished(); });
  state_->handle.data = this;
  uv_unref(as_handle(state_->handle));
}

Workers::~Workers() {
  {
    const std::lock_guard lock{state_->mutex};
    state_->ending = true;
  }
  state_->wanted.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  close_and_delete(state_);
}

void Workers::run(Work work) {
  const bool all_busy = state_->threads.size() <= under_way_;
  if (all_busy && state_->threads.size() < threads_max_ && !state_->start_thread() && state_->threads.empty())
    return work()();
  ++under_way_;
  {
    const std::lock_guard lock{state_->mutex};
    state_->waiting.push_back(std::move(work));
  }
  state_->wanted.notify_one();
}

void Workers::on_finished() {
  std::vector<Done> finished;
  {
    const std::lock_guard lock{state_->mutex};
    finished.swap(state_->finished);
  }
  under_way_ -= finished.size();
  for (const Done& done : finished) done();
}

}  // namespace mqtt::net
