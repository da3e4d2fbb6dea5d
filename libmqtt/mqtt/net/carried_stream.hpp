#pragma once
#include <functional>
#include <memory>
#include <string>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/loop_thread.hpp>
#include <mqtt/net/shortcut.hpp>
#include <mqtt/net/stream.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// Makes the stream that is carried, in the thread that carries it.
using MakeStream = std::move_only_function<Result<std::unique_ptr<ByteStream>>(Loop&)>;

/// A stream of the loop that is `thread`'s home, while the one that `make` gives is read and written in that
/// thread. What write() has taken is with the thread, as it would be in a socket's buffer; and so much, and
/// one read, may have come that the handler has not been given: `carried_max` bounds each direction, and
/// home's chunks() count it. An error of `make` is one of reading and writing. `shortcut` may be null.
[[nodiscard]] std::unique_ptr<ByteStream> carry(LoopThread& thread, std::string peer,
                                                StreamProperties properties, MakeStream make,
                                                std::unique_ptr<Shortcut> shortcut = nullptr);

/// Bytes of a direction that may be on their way between the two loops. One read fills it, so that it takes
/// a turn of either side to move it; and what slow readers hold this way is little beside their queues.
constexpr std::size_t carried_max = 64 * 1024;

}  // namespace mqtt::net
