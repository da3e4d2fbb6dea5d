#include "loop.hpp"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "client.hpp"

namespace load {
namespace {

constexpr std::size_t read_bytes = 256 * 1024;  // of a busy subscriber at once
constexpr std::size_t events_per_turn = 512;

}  // namespace

Loop::Loop() : poller_{epoll_create1(EPOLL_CLOEXEC)}, buffer_(read_bytes) {
  prctl(PR_SET_TIMERSLACK, 1UL);  // a paced publisher's waits are tens of microseconds
}

Loop::~Loop() { ::close(poller_); }

void Loop::turn(std::chrono::nanoseconds wait) {
  flush();
  if (!to_flush_.empty()) wait = {};
  std::array<epoll_event, events_per_turn> events;
  const timespec limit{wait.count() / 1'000'000'000, wait.count() % 1'000'000'000};
  const int count = epoll_pwait2(poller_, events.data(), events.size(), &limit, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<Client*>(event.data.ptr)->ready(event.events);
  }
  flush();
}

void Loop::flush() {
  std::swap(to_flush_, flushing_);
  for (Client* client : flushing_) client->flush();
  flushing_.clear();
}

void Loop::forget(const Client& client) { std::erase(to_flush_, &client); }

}  // namespace load
