#pragma once
#include <memory>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/opened.hpp>
#include <mqtt/net/stream.hpp>

namespace mqtt::net {

/// What comes over `inner` behind its PROXY protocol header (net/proxy_header.hpp); peer() is the address
/// in it. `opened` is called from the loop. The caller keeps the deadline.
/// Whoever can connect can claim any address: for listeners that only proxies reach.
[[nodiscard]] std::unique_ptr<ByteStream> make_proxied_server(Loop& loop, std::unique_ptr<ByteStream> inner,
                                                              Opened opened);

}  // namespace mqtt::net
