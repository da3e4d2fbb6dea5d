#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include <mqtt/util/error.hpp>

#include "mqspy/capture.hpp"

// What goes by on a network interface, by libpcap: the only place that knows of it, and of a build without
// it.

namespace mq::spy {

class LiveCapture {
 public:
  virtual ~LiveCapture() = default;

  /// `filter` is in libpcap's own language (pcap-filter(7)); empty: everything. Errors are sentences; of code
  /// EINVAL where what was asked for cannot be, by whomever.
  [[nodiscard]] static mqtt::Result<std::unique_ptr<LiveCapture>> open(const std::string& interface,
                                                                       const std::string& filter);

  /// Is readable when packets wait.
  [[nodiscard]] virtual int fd() const = 0;
  /// Hands over what waits, up to a bound.
  [[nodiscard]] virtual mqtt::Result<void> take(CaptureHandler& handler) = 0;

  struct Counts {
    std::uint64_t received = 0;           ///< by the filter
    std::uint64_t dropped = 0;            ///< by the kernel: we were too slow
    std::uint64_t interface_dropped = 0;  ///< by the interface or its driver
  };
  [[nodiscard]] virtual Counts counts() const = 0;
};

}  // namespace mq::spy
