#pragma once
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <mqtt/util/bytes.hpp>

#include "common/wall_time.hpp"
#include "mqbench/plan.hpp"

namespace mq::bench {

/// Makes one worker's payloads, one at a time, all but their stamps.
class PayloadMaker {
 public:
  /// `plan` must outlive it. Workers differ by `worker`, so that their random numbers do.
  PayloadMaker(const Plan& plan, unsigned worker)
      : plan_{plan}, bytes_{plan.payload}, random_{plan.scenario.seed + worker} {}

  /// Of the publisher's message `number`, from 0, which is `sequence` of `stream`. Valid until the next call.
  [[nodiscard]] mqtt::MutableBytes make(std::uint32_t stream, std::uint64_t sequence, std::uint64_t number);

 private:
  const Plan& plan_;
  std::vector<std::uint8_t> bytes_;  // the stamp's place, then what all messages share
  std::string text_;                 // the same of a template
  std::mt19937_64 random_;
  WallClockText clock_;
};

}  // namespace mq::bench
