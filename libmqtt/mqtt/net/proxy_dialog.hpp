#pragma once
#include <cstddef>
#include <string>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// What an answer of a proxy leads to.
struct DialogStep {
  std::size_t used = 0;  ///< bytes of the answer; none: it is not complete yet
  std::string reply{};   ///< to be sent next
  bool open = false;     ///< the proxy has connected: what follows comes from the destination
};

/// Error{proxy, CODE, WHAT}; `what` follows the proxy's name: "does not speak SOCKS 5".
[[nodiscard]] inline std::unexpected<Error> proxy_fault(int code, std::string what) {
  return fail(ErrorDomain::proxy, code, std::move(what));
}

}  // namespace mqtt::net
