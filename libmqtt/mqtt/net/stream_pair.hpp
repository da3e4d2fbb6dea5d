#pragma once
#include <memory>
#include <string>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/stream.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// Two ends of one connection inside the process.
struct StreamPair {
  std::unique_ptr<ByteStream> one;
  std::unique_ptr<ByteStream> other;
};

/// `name` is what both call their peer.
[[nodiscard]] Result<StreamPair> make_stream_pair(Loop& loop, std::string name);

}  // namespace mqtt::net
