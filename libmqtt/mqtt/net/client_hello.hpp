#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/stream.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// What a TLS client asks for before anything is secret (RFC 8446, 4.1.2; RFC 6066, 3; RFC 7301).
struct ClientHello {
  std::string server_name;        ///< SNI; empty if there is none
  std::vector<std::string> alpn;  ///< in its order
};

/// Reads the ClientHello that `received` begins with, over any number of records. Nothing: it is not complete
/// yet. What is none gives an empty one, so that whoever takes the handshake on says what is wrong.
[[nodiscard]] std::optional<ClientHello> read_client_hello(Bytes received);

/// Waits for a ClientHello over `inner` and leaves it there: what comes after it is the inner stream's own,
/// the ClientHello included. `opened` is called once, from the loop, and may destroy the stream. The caller
/// keeps the deadline.
[[nodiscard]] std::unique_ptr<ByteStream> make_hello_reader(Loop& loop, std::unique_ptr<ByteStream> inner,
                                                            std::function<void(Result<ClientHello>)> opened);

}  // namespace mqtt::net
