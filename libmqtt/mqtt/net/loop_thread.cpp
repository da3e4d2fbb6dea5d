#include <mqtt/net/loop_thread.hpp>

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

namespace mqtt::net {
namespace {

OwnedFd make_event() { return OwnedFd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}; }

}  // namespace

LoopThread::LoopThread(Loop& home, OwnedFd home_event, OwnedFd thread_event)
    : home_{home},
      inbox_{loop_, std::move(thread_event)},
      home_inbox_{home, std::move(home_event)},
      to_thread_{home, inbox_},
      to_home_{loop_, home_inbox_} {
  home_inbox_.set_expected(false);
}

Result<std::unique_ptr<LoopThread>> LoopThread::start(Loop& home) try {
  OwnedFd home_event = make_event(), thread_event = make_event();
  if (!home_event.valid() || !thread_event.valid())
    return std::unexpected(system_error(errno, "cannot make an event"));
  std::unique_ptr<LoopThread> made{new LoopThread{home, std::move(home_event), std::move(thread_event)}};
  made->thread_ = std::thread{[loop = &made->loop_] { loop->run(); }};
  return made;
} catch (const std::system_error& fault) {
  return std::unexpected(system_error(fault.code().value(), "cannot start a thread"));
}

LoopThread::~LoopThread() { stop(); }

void LoopThread::stop() {
  if (!thread_.joinable()) return;
  post([this](Bytes) { loop_.stop(); });
  to_thread_.hand_over();
  thread_.join();
  home_inbox_.receive();  // the last words of what was ended
}

void LoopThread::begin_use() {
  if (uses_++ == 0) home_inbox_.set_expected(true);
}

void LoopThread::end_use() {
  if (--uses_ == 0) home_inbox_.set_expected(false);
}

}  // namespace mqtt::net
