#include "mqbroker/broker_pages.hpp"

#include <chrono>
#include <utility>

#include "common/metric_writer.hpp"
#include "mqbroker/broker_metrics.hpp"
#include "mqbroker/status_page.hpp"

namespace mq {
namespace {

constexpr std::string_view html_type = "text/html; charset=utf-8";
constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view uncached = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
constexpr std::size_t slow_clients_shown = 20;

/// To find the slow ones takes a look at every connection: however many ask, that happens once in this time.
constexpr mqtt::Duration slow_clients_age_max = std::chrono::seconds{1};

class FactFinder {
 public:
  FactFinder(mqtt::net::Loop& loop, mqtt::server::Server& server,
             std::function<std::vector<BridgeFacts>()> bridges)
      : loop_{loop}, server_{server}, bridges_{std::move(bridges)}, started_{loop.now()} {}

  [[nodiscard]] BrokerFacts find() {
    mqtt::broker::Broker& broker = server_.broker();
    BrokerFacts facts;
    facts.counters = broker.counters();
    facts.server = server_.counters();
    facts.bridges = bridges_();
    facts.connections_max = server_.connections_max();
    facts.memory_max_bytes = broker.config().limits.memory;
    facts.uptime = loop_.now() - started_;
    if (const mqtt::Error* const fault = broker.store_fault()) facts.fault = fault->context;
    return facts;
  }

  [[nodiscard]] BrokerFacts find_all() {
    const mqtt::TimePoint now = loop_.now();
    if (!looked_at_ || now - *looked_at_ >= slow_clients_age_max) {
      slow_clients_ = server_.broker().slow_clients(slow_clients_shown);
      looked_at_ = now;
    }
    BrokerFacts facts = find();
    facts.slow_clients = slow_clients_;
    return facts;
  }

 private:
  mqtt::net::Loop& loop_;
  mqtt::server::Server& server_;
  const std::function<std::vector<BridgeFacts>()> bridges_;
  const mqtt::TimePoint started_;
  mqtt::Deadline looked_at_;
  std::vector<mqtt::broker::SlowClient> slow_clients_;
};

HttpContent health_of(const BrokerFacts& facts) {
  if (facts.fault.empty()) return std::string{"ok\n"};
  HttpContent content{facts.fault + "\n"};
  content.fine = false;
  return content;
}

}  // namespace

mqtt::Result<std::unique_ptr<PageServer>> open_pages(mqtt::net::Loop& loop, const mqtt::net::HostPort& at,
                                                     mqtt::server::Server& server,
                                                     std::function<std::vector<BridgeFacts>()> bridges,
                                                     mqtt::net::Listener::Failed failed) {
  auto pages = PageServer::open(loop, at, std::move(failed));
  if (!pages) return pages;
  const auto finder = std::make_shared<FactFinder>(loop, server, std::move(bridges));
  (*pages)->serve(
      {{"/", html_type, [finder] { return status_page(finder->find_all()); }, status_page_fields()},
       {"/metrics", prometheus_type, [finder] { return metrics_text(finder->find()); }},
       {"/healthz", text_type, [finder] { return health_of(finder->find()); }, uncached},
       {status_path, "application/json", [finder] { return status_json(finder->find_all()); }, uncached}});
  return pages;
}

}  // namespace mq
