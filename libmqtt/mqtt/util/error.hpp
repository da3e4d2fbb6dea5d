#pragma once
#include <cstdint>
#include <expected>
#include <string>

namespace mqtt {

/// Where a system-side failure came from; it selects the exit code and how `code` reads.
enum class ErrorDomain : std::uint8_t {
  system,          ///< code is an errno value
  resolve,         ///< code is a getaddrinfo (EAI_*) value
  proxy,           ///< a proxy's refusal, or the way to it: code is the errno value that comes nearest
  tls,             ///< code is an X509_V_ERR_* value, or 0 for any other TLS fault
  websocket,       ///< code is the HTTP status of a refused upgrade, or 0
  url,             ///< an address that cannot be used; code is 0
  session,         ///< code is a SessionFault (session/session_fault.hpp)
  timeout,         ///< a deadline passed; code is 0
  authentication,  ///< the other side failed an authentication, or broke its rules; code is 0
};

/// A failure outside the peer's packets. `context` is a finished clause for a person ("connection
/// refused by 127.0.0.1:1883"); it is added once, where the operation is known.
struct Error {
  ErrorDomain domain = ErrorDomain::system;
  int code = 0;
  std::string context;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorDomain domain, int code, std::string context) {
  return std::unexpected(Error{domain, code, std::move(context)});
}

/// "WHAT: strerror(CODE)" in the system domain. Call it at once: errno does not wait.
[[nodiscard]] Error system_error(int code, std::string_view what);

}  // namespace mqtt
