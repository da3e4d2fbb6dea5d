#pragma once
#include <array>
#include <cstddef>

#include <mqtt/broker/load_average.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt::broker {

/// Of how many numbers $SYS has averages.
inline constexpr std::size_t status_loads = 9;

/// What $SYS needs besides Counters.
struct Status {
  Deadline due;  ///< none: there is no $SYS
  TimePoint started{};
  TimePoint last{};  ///< that it was told; before: as `started`
  bool running = false;
  std::size_t heap_maximum_bytes = 0;
  std::array<LoadAverage, status_loads> loads{};
};

}  // namespace mqtt::broker
