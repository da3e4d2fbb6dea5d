#pragma once
#include <atomic>
#include <cstdint>

#include <mqtt/util/time.hpp>

namespace mq::bench {

/// What the main thread tells the workers; they look every few milliseconds.
struct Control {
  std::atomic<std::int64_t> start_ns{0};         ///< of the common start, by the monotonic clock; 0: not yet
  std::atomic<std::int64_t> clock_offset_ns{0};  ///< to the clock of stamps; set before the start
  std::atomic<bool> stop{false};                 ///< nothing more is to be published
  std::atomic<bool> bring_back{false};           ///< the subscribers for whom messages have been kept
  std::atomic<bool> finish{false};               ///< disconnect, and end
};

/// What a worker tells the main thread, as often.
struct alignas(64) Status {
  std::atomic<std::uint32_t> ready{0};      ///< clients that have been connected, and subscribed
  std::atomic<std::uint32_t> connected{0};  ///< those that still are
  std::atomic<bool> failed{false};          ///< the run cannot go on; why is told after the thread's end
  std::atomic<bool> all_sent{false};        ///< nothing more comes, and all is acknowledged
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> expected{0};  ///< deliveries of what was sent, over all workers' subscribers
  std::atomic<std::uint64_t> distinct{0};  ///< different messages that came
};

}  // namespace mq::bench
