#pragma once
#include <optional>
#include <string_view>

#include "common/wall_time.hpp"

namespace mq {

/// When a JSON Web Token ends: its claim "exp" (RFC 7519, section 4.1.4). Nothing if `token` is none, or does
/// not say. Its signature is the server's business.
[[nodiscard]] std::optional<WallTime> jwt_expiry(std::string_view token);

}  // namespace mq
