#include <mqtt/net/background.hpp>

#include <uv.h>

#include <cerrno>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <mqtt/net/uv_handle.hpp>

namespace mqtt::net {

struct Background::Job {
  struct Wake {
    uv_async_t handle{};
    Background* owner = nullptr;
  };

  std::thread thread;  // of the loop's side
  std::mutex mutex;
  Wake* wake = nullptr;  // guarded; null when nobody waits any more

  void tell() {
    const std::lock_guard lock{mutex};
    if (wake) uv_async_send(&wake->handle);
  }

  Wake* release_wake() {
    const std::lock_guard lock{mutex};
    return std::exchange(wake, nullptr);
  }
};

Background::Background(Loop& loop, std::function<void()> work, std::function<void(Result<void>)> done)
    : done_{std::move(done)},
      job_{std::make_shared<Job>()},
      failed_{loop, [this] { finish(std::unexpected(system_error(EAGAIN, "cannot start a thread"))); }} {
  job_->wake = new Job::Wake{{}, this};
  uv_async_init(loop.handle(), &job_->wake->handle, [](uv_async_t* handle) {
    Background& self = *static_cast<Job::Wake*>(handle->data)->owner;
    self.job_->thread.join();
    self.finish({});
  });
  job_->wake->handle.data = job_->wake;
  try {
    job_->thread = std::thread{[job = job_, work = std::move(work)] {
      work();
      job->tell();
    }};
  } catch (const std::system_error&) {
    failed_.request();
  }
}

Background::~Background() { abandon(); }

void Background::abandon() {
  if (!job_) return;
  close_and_delete(job_->release_wake());
  if (job_->thread.joinable()) job_->thread.detach();
  job_.reset();
}

void Background::finish(Result<void> result) {
  abandon();
  const auto call = std::move(done_);
  call(std::move(result));
}

}  // namespace mqtt::net
