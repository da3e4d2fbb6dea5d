#include "mqbench/source_range.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <cstdint>
#include <optional>

#include <mqtt/util/text.hpp>

#include "common/value_checks.hpp"

namespace mq::bench {
namespace {

/// More ports than that many addresses have nobody needs.
constexpr std::uint32_t addresses_max = 65'536;

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string{text}.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::string v4_text(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 0xFF, address >> 8 & 0xFF, address & 0xFF);
}

std::optional<Range> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_v4(text.substr(0, dash)), last = parse_v4(text.substr(dash + 1));
  if (!first || !last || *last < *first || *last - *first >= addresses_max) return std::nullopt;
  return Range{*first, *last};
}

}  // namespace

ValueResult source_addresses(std::string_view text) {
  if (text.find('-') == std::string_view::npos) return ip_address(text);
  if (parse_range(text)) return {};
  return std::unexpected(
      fmt::format("'{}' is no range of up to {} IPv4 addresses such as 127.0.0.2-127.0.0.20",
                  mqtt::escape_for_terminal(text), addresses_max));
}

std::vector<std::string> expand_sources(const std::vector<std::string>& sources) {
  std::vector<std::string> all;
  for (const std::string& source : sources) {
    const auto range = parse_range(source);
    if (!range) {
      all.push_back(source);
      continue;
    }
    for (std::uint32_t n = 0; n <= range->last - range->first; ++n) all.push_back(v4_text(range->first + n));
  }
  return all;
}

}  // namespace mq::bench
