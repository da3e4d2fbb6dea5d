// A DNS message with SRV records.
#include <cstdlib>

#include <mqtt/net/service.hpp>

using namespace mqtt;
using namespace mqtt::net;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto records = parse_services({data, size});
  require(records.size() <= service_records_max);
  std::size_t offered = 0;
  for (const ServiceRecord& record : records) {
    require(record.address.host.find('\0') == std::string::npos);
    if (!record.address.host.empty()) ++offered;
  }
  std::uint32_t next = size == 0 ? 0 : data[0];
  const auto order = in_order_of_trial(records, [&next](std::uint32_t max) {
    next = next * 1'103'515'245 + 12'345;
    return max == 0 ? 0 : next % (max + 1);
  });
  require(order.size() == offered);
  return 0;
}
