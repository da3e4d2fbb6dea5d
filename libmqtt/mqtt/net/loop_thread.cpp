#include <mqtt/net/loop_thread.hpp>

#include <system_error>

namespace mqtt::net {

LoopThread::LoopThread(Loop& home) : home_{home}, to_thread_{home, loop_}, to_home_{loop_, home} {
  to_home_.set_expected(false);
}

Result<std::unique_ptr<LoopThread>> LoopThread::start(Loop& home) try {
  std::unique_ptr<LoopThread> made{new LoopThread{home}};
  made->thread_ = std::thread{[loop = &made->loop_] { loop->run(); }};
  return made;
} catch (const std::system_error& fault) {
  return std::unexpected(system_error(fault.code().value(), "cannot start a thread"));
}

LoopThread::~LoopThread() {
  if (!thread_.joinable()) return;
  post([this](Bytes) { loop_.stop(); });
  to_thread_.hand_over();
  thread_.join();
  to_home_.receive();  // the last words of what was ended
}

void LoopThread::begin_use() {
  if (uses_++ == 0) to_home_.set_expected(true);
}

void LoopThread::end_use() {
  if (--uses_ == 0) to_home_.set_expected(false);
}

}  // namespace mqtt::net
