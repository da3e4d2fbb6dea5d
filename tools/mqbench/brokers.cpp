#include "mqbench/brokers.hpp"

#include <algorithm>

namespace mq::bench {

std::vector<ConnectionConfig> BrokerList::connections(const ConnectionConfig& first) const {
  std::vector<ConnectionConfig> all{first};
  for (const mqtt::Endpoint& url : urls) all.push_back(at_url(first, url));
  return all;
}

bool BrokerList::uses(std::uint32_t broker) const {
  return std::ranges::find(publish_to, broker) != publish_to.end() ||
         std::ranges::find(subscribe_from, broker) != subscribe_from.end();
}

std::string BrokerList::where(const ConnectionConfig& first) const {
  const std::vector<ConnectionConfig> all = connections(first);
  std::string names;
  for (std::uint32_t n = 0; n < all.size(); ++n)
    if (uses(n)) names += (names.empty() ? "" : ", ") + all[n].where();
  return names;
}

}  // namespace mq::bench
