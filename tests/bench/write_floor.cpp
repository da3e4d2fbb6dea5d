// bench_write_floor CONNECTIONS RATE SECONDS THREADS: what the kernel alone takes for the writes that mqbench
// makes for its publishers. A million messages of 122 bytes (100 of payload) in CPU-seconds, by the clocks
// of the threads that write, over loopback connections to a process that reads them by epoll and throws them
// away. RATE 0 is flat out, 256 messages in a write. Else RATE messages per second, spread as mqbench spreads
// them: by an absolute schedule over all connections in turn, a wake-up every 100 us at most, a write per
// message.
// bench_write_floor write: how long one such write takes, in us. The median of 5,000 writes, each so long
// after the one before that the reader sleeps and has to be woken.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "bench/floor.hpp"

namespace {

using namespace mqtt::bench;

constexpr std::size_t message_bytes = 122;
constexpr std::size_t batch = 256;
constexpr std::int64_t slot_ns = 100'000;

struct Load {
  std::size_t connections = 0;
  double rate = 0;
  std::int64_t length_ns = 0;
  std::size_t threads = 0;
};

void sleep_until(std::int64_t when_ns) {
  const timespec when{.tv_sec = when_ns / second_ns, .tv_nsec = when_ns % second_ns};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

int listen_on_loopback(sockaddr_in& address) {
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, raw(address), size) != 0 || listen(listener, SOMAXCONN) != 0) give_up("listen");
  getsockname(listener, raw(address), &size);
  return listener;
}

/// Until all have been closed.
void read_all(int listener, std::size_t connections) {
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t n = 0; n < connections; ++n) {
    const int connection = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.fd = connection}};
    if (connection < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, connection, &event) != 0) give_up("accept");
  }
  static std::array<char, 65'536> buffer;
  std::array<epoll_event, 1024> events;
  while (connections > 0) {
    const int count = epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int n = 0; n < count; ++n) {
      const int fd = events[static_cast<std::size_t>(n)].data.fd;
      if (read(fd, buffer.data(), buffer.size()) != 0) continue;
      close(fd);
      --connections;
    }
  }
}

std::vector<int> connect_all(sockaddr_in& address, std::size_t count) {
  std::vector<int> connections;
  for (std::size_t n = 0; n < count; ++n) connections.push_back(connect_to(address));
  return connections;
}

void send_out(int fd, std::size_t bytes) {
  static const std::vector<char> data(message_bytes * batch);
  for (std::size_t sent = 0; sent < bytes;) {
    const ssize_t size = write(fd, data.data(), bytes - sent);
    if (size < 0) give_up("write");
    sent += static_cast<std::size_t>(size);
  }
}

std::uint64_t write_flat_out(const Load& load, const std::vector<int>& connections, std::size_t thread) {
  const std::int64_t end = clock_ns(CLOCK_MONOTONIC) + load.length_ns;
  std::uint64_t messages = 0;
  while (clock_ns(CLOCK_MONOTONIC) < end)
    for (std::size_t n = thread; n < connections.size(); n += load.threads, messages += batch)
      send_out(connections[n], batch * message_bytes);
  return messages;
}

std::uint64_t write_paced(const Load& load, const std::vector<int>& connections, std::size_t thread) {
  const std::int64_t start = clock_ns(CLOCK_MONOTONIC);
  std::int64_t woken = start;
  std::uint64_t messages = 0;
  for (std::uint64_t k = 0;; ++k) {
    const std::size_t connection = k % connections.size();
    if (connection % load.threads != thread) continue;
    const auto due = start + static_cast<std::int64_t>(static_cast<double>(k) * second_ns / load.rate);
    if (due - start >= load.length_ns) return messages;
    if (due > woken) {
      sleep_until(std::max(due, woken + slot_ns));
      woken = clock_ns(CLOCK_MONOTONIC);
    }
    send_out(connections[connection], message_bytes);
    ++messages;
  }
}

double median_write_us(int fd) {
  std::vector<std::int64_t> taken(5000);
  for (std::int64_t& each : taken) {
    const std::int64_t start = clock_ns(CLOCK_MONOTONIC);
    send_out(fd, message_bytes);
    each = clock_ns(CLOCK_MONOTONIC) - start;
    while (clock_ns(CLOCK_MONOTONIC) < start + slot_ns) {
    }
  }
  const auto middle = taken.begin() + static_cast<std::ptrdiff_t>(taken.size() / 2);
  std::ranges::nth_element(taken, middle);
  return static_cast<double>(*middle) / 1e3;
}

double measure_load(const Load& load, const std::vector<int>& connections) {
  if (load.threads == 0) return median_write_us(connections[0]);
  return measure(load.threads, [&](std::size_t thread) {
    return load.rate > 0 ? write_paced(load, connections, thread) : write_flat_out(load, connections, thread);
  });
}

/// No threads: one write is to be measured. No connections: these are no arguments.
Load read_arguments(std::span<char* const> words) {
  if (words.size() == 2 && std::string_view{words[1]} == "write") return {.connections = 1};
  if (words.size() != 5) return {};
  const Load load{.connections = std::strtoul(words[1], nullptr, 10),
                  .rate = std::strtod(words[2], nullptr),
                  .length_ns = std::strtol(words[3], nullptr, 10) * second_ns,
                  .threads = std::strtoul(words[4], nullptr, 10)};
  return load.threads == 0 || load.connections < load.threads || load.length_ns <= 0 ? Load{} : load;
}

}  // namespace

int main(int argc, char** argv) {
  const Load load = read_arguments({argv, static_cast<std::size_t>(argc)});
  if (load.connections == 0)
    return std::fputs(
               "usage: bench_write_floor CONNECTIONS RATE SECONDS THREADS, or bench_write_floor write\n"
               "each thread needs a connection, and a second\n",
               stderr),
           2;
  raise_descriptors();
  sockaddr_in address;
  const int listener = listen_on_loopback(address);
  const pid_t reader = fork();
  if (reader < 0) give_up("fork");
  if (reader == 0) {
    read_all(listener, load.connections);
    std::_Exit(0);
  }
  const std::vector<int> connections = connect_all(address, load.connections);
  std::printf("%.3f\n", measure_load(load, connections));
  for (const int fd : connections) close(fd);
  waitpid(reader, nullptr, 0);
}
