#pragma once
#include <chrono>

#include <mqtt/util/time.hpp>

namespace mq::spy {

/// From the loop's time to that of records, which count from 1970.
[[nodiscard]] inline mqtt::Duration to_wall_clock() {
  using namespace std::chrono;
  return duration_cast<mqtt::Duration>(system_clock::now().time_since_epoch()) -
         steady_clock::now().time_since_epoch();
}

}  // namespace mq::spy
