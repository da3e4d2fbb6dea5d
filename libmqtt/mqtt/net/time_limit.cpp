#include <mqtt/net/time_limit.hpp>

#include <algorithm>

#include <mqtt/util/text.hpp>

namespace mqtt::net {

Error timeout_error(const std::string& what, Duration limit) {
  // A limit of 10 s minus the time it took to get here is still 10 s to whoever set it.
  const auto rounded =
      limit >= std::chrono::seconds{1}
          ? Duration{std::chrono::round<std::chrono::milliseconds>(limit / 10) * 10}
          : Duration{std::chrono::ceil<std::chrono::milliseconds>(std::max(limit, Duration{}))};
  return {ErrorDomain::timeout, 0, what + " within " + format_duration(rounded)};
}

}  // namespace mqtt::net
