#pragma once
#include <string>

#include <mqtt/util/error.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt::net {

/// Error{timeout, 0, "WHAT within 10s"}; `limit` is what was allowed, rounded for reading.
[[nodiscard]] Error timeout_error(const std::string& what, Duration limit);

}  // namespace mqtt::net
