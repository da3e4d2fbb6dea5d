#pragma once
#include <deque>
#include <optional>
#include <span>
#include <string>

#include "common/argv.hpp"
#include "common/options.hpp"

namespace mq {

/// Checks with CLI11 which of the given options exclude or need each other: a sentence, or nothing.
/// Values never pass through CLI11, which reads meaning into "{}", "[a,b]", "%%" and "".
[[nodiscard]] std::optional<std::string> broken_relation(const std::deque<Option>& options,
                                                         std::span<const Occurrence> occurrences);

}  // namespace mq
