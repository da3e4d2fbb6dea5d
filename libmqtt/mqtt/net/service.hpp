#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <mqtt/net/address.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// What a DNS SRV record says (RFC 2782).
struct ServiceRecord {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  HostPort address;  ///< its host is empty if the domain says that it has no such service
};

/// More than any domain has; the rest is left out.
inline constexpr std::size_t service_records_max = 32;

/// Records of `name` ("_mqtt._tcp.example.org"), or Error{resolve, h_errno value}. Blocks, and may be called
/// from any thread.
using ServiceResolver = std::function<Result<std::vector<ServiceRecord>>(const std::string& name)>;

/// Asks the system's name servers.
[[nodiscard]] Result<std::vector<ServiceRecord>> query_services(const std::string& name);

/// The SRV records of a whole DNS message; empty if it is malformed.
[[nodiscard]] std::vector<ServiceRecord> parse_services(Bytes message);

/// A number from 0 to `max`.
using RandomUpTo = std::function<std::uint32_t(std::uint32_t max)>;

/// The order in which to try them: by priority, and among equals at random, in proportion to their weights
/// (RFC 2782, "Usage rules"). Records that offer nothing are left out.
[[nodiscard]] std::vector<HostPort> in_order_of_trial(std::vector<ServiceRecord> records,
                                                      const RandomUpTo& random);

}  // namespace mqtt::net
