#include "common/value_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <mqtt/net/address.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/spelling.hpp"

namespace mq {

ValueResult not_empty(std::string_view value) {
  if (!value.empty()) return {};
  return std::unexpected("the value is empty");
}

ValueResult some_time(std::string_view value) {
  if (mqtt::parse_duration(value) != mqtt::Duration::zero()) return {};
  return std::unexpected(in_quotes(value) + " leaves no time");
}

ValueResult ip_address(std::string_view value) {
  if (mqtt::net::is_ip_literal(value)) return {};
  return std::unexpected(in_quotes(value) + " is not an IP address");
}

ValueResult mqtt_string(std::string_view value) {
  constexpr std::size_t most = 65'535;
  if (value.size() > most)
    return std::unexpected(fmt::format("the value has {} bytes, and {} is the most", value.size(), most));
  if (mqtt::is_mqtt_utf8(mqtt::as_bytes(value))) return {};
  return std::unexpected(in_quotes(value) + " is not well-formed UTF-8");
}

ValueResult http_path(std::string_view value) {
  if (!value.starts_with('/')) return std::unexpected(in_quotes(value) + " does not begin with '/'");
  const auto printable = [](char c) { return c > ' ' && c < '\x7f'; };
  if (std::ranges::all_of(value, printable)) return {};
  return std::unexpected(in_quotes(value) +
                         " holds a space, a control or a non-ASCII character (write '%20')");
}

}  // namespace mq
