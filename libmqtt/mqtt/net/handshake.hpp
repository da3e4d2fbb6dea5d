#pragma once
#include <cstdint>
#include <string>

#include <mqtt/util/error.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt::net {

/// The step of a connection that comes between its socket and its use.
enum class Handshake : std::uint8_t { proxy, tls, websocket };

/// What went wrong with the connection itself ("connection reset by ...") as an error of the step it
/// happened in: its domain tells how far things had come. Other errors stay as they are, as do those of
/// the proxy header, which is of no domain of its own.
[[nodiscard]] Error handshake_error(Handshake step, Error error);

/// Error{timeout, 0, "no TLS handshake from 127.0.0.1:8883 within 10s"}
[[nodiscard]] Error handshake_timeout(Handshake step, const std::string& peer, Duration limit);

}  // namespace mqtt::net
