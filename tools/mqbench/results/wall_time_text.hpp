#pragma once
#include <optional>
#include <string_view>

#include "common/wall_time.hpp"

namespace mq::bench::results {

/// "2026-11-21T07:20:07.676123Z" (RFC 3339, UTC alone); nothing for what is no such time. Years 1970 to 2199:
/// nanoseconds can count somewhat more.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace mq::bench::results
