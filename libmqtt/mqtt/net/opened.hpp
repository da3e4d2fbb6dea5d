#pragma once
#include <functional>

#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// A filter's handshake is over: an error, or the stream may be used. Called once, from the loop; it
/// may destroy the stream.
using Opened = std::function<void(Result<void>)>;

}  // namespace mqtt::net
