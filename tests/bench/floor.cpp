#include "bench/floor.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace mqtt::bench {

void give_up(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

std::int64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * second_ns + time.tv_nsec;
}

sockaddr* raw(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

void raise_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int connect_to(sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, raw(address), sizeof address) != 0) give_up("connect");
  return fd;
}

double measure(std::size_t threads, const std::function<std::uint64_t(std::size_t)>& work) {
  std::vector<Share> shares(threads);
  std::vector<std::thread> running;
  for (std::size_t n = 0; n < threads; ++n)
    running.emplace_back([&, n] {
      prctl(PR_SET_TIMERSLACK, 1UL);
      const std::int64_t before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
      shares[n].messages = work(n);
      shares[n].cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
    });
  Share sum;
  for (std::size_t n = 0; n < threads; ++n) {
    running[n].join();
    sum.messages += shares[n].messages;
    sum.cpu_ns += shares[n].cpu_ns;
  }
  return static_cast<double>(sum.cpu_ns) / 1e3 / static_cast<double>(sum.messages);
}

}  // namespace mqtt::bench
