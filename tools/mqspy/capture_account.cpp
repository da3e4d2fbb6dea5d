#include "mqspy/capture_account.hpp"

#include <fmt/format.h>

namespace mq::spy {

void tell_account(Diag& diag, const CaptureAccount& a) {
  if (a.fragments > 0)
    diag.warning(fmt::format(
        "{} fragments of IP packets could not be put together: their other parts are missing", a.fragments));
  if (a.unknown_link > 0)
    diag.warning(fmt::format("{} packets have a link layer that is not known here", a.unknown_link));
  if (a.damaged > 0) diag.warning(fmt::format("{} packets are shorter than their headers", a.damaged));
  if (a.given_up > 0)
    diag.warning(fmt::format("{} connections were not followed to their end: there were too many at once",
                             a.given_up));
  if (a.mqtt_connections == 0)
    diag.warning(
        fmt::format("no MQTT in {} packets of {} TCP connections{}", a.packets, a.connections,
                    a.tls_connections > 0 ? fmt::format(", of which {} are TLS", a.tls_connections) : ""));
}

}  // namespace mq::spy
