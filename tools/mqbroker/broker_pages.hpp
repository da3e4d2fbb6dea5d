#pragma once
#include <functional>
#include <memory>
#include <vector>

#include <mqtt/net/address.hpp>
#include <mqtt/net/listener.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/server/server.hpp>

#include "common/page_server.hpp"
#include "mqbroker/broker_facts.hpp"

namespace mq {

/// Serves, in the broker's loop: the status page at /, /metrics for Prometheus, and /healthz, which is 200 as
/// long as the broker can keep what it has to, and 503 else. `loop` and `server` outlive it.
[[nodiscard]] mqtt::Result<std::unique_ptr<PageServer>> open_pages(
    mqtt::net::Loop& loop, const mqtt::net::HostPort& at, mqtt::server::Server& server,
    std::function<std::vector<BridgeFacts>()> bridges, mqtt::net::Listener::Failed failed);

}  // namespace mq
