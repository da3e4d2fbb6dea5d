#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/options.hpp"

namespace mq::bench {

/// Whether it is an address, or a range of IPv4 addresses: "127.0.0.2-127.0.0.20".
[[nodiscard]] ValueResult source_addresses(std::string_view text);
/// Ranges of source_addresses() become the addresses in them.
[[nodiscard]] std::vector<std::string> expand_sources(const std::vector<std::string>& sources);

}  // namespace mq::bench
