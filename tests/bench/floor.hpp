#pragma once
#include <time.h>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

struct sockaddr;
struct sockaddr_in;

namespace mqtt::bench {

/// What bench_write_floor and bench_client_floor have in common: programs that make a few system calls and
/// nothing else, so that their CPU time is the kernel's.

constexpr std::int64_t second_ns = 1'000'000'000;

/// What one thread has done, and what it took by its own clock.
struct Share {
  std::uint64_t messages = 0;
  std::int64_t cpu_ns = 0;
};

[[noreturn]] void give_up(const char* what);
[[nodiscard]] std::int64_t clock_ns(clockid_t clock);
[[nodiscard]] sockaddr* raw(sockaddr_in& address);
void raise_descriptors();
/// Blocking, without Nagle's delay.
[[nodiscard]] int connect_to(sockaddr_in& address);
/// Runs `work` of each thread's number on `threads` threads, which returns how many messages it had.
/// CPU-seconds per million messages.
[[nodiscard]] double measure(std::size_t threads, const std::function<std::uint64_t(std::size_t)>& work);

}  // namespace mqtt::bench
