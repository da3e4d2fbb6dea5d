#include <cerrno>

#include <fmt/format.h>

#include "mqspy/live_capture.hpp"

namespace mq::spy {

mqtt::Result<std::unique_ptr<LiveCapture>> LiveCapture::open(const std::string& interface,
                                                             const std::string& filter) {
  return mqtt::fail(
      mqtt::ErrorDomain::system, EINVAL,
      fmt::format("this mqspy was built without libpcap: tcpdump -i {} -U -w - {}{}| mqspy read -", interface,
                  filter, filter.empty() ? "" : " "));
}

}  // namespace mq::spy
