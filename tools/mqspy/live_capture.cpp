#include "mqspy/live_capture.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/spelling.hpp"

namespace mq::spy {
namespace {

/// As tcpdump's: more than any packet has, also of those that a network card joins.
constexpr int snapshot_bytes = 262'144;
/// The kernel's, for while we are busy.
constexpr int buffer_bytes = 32 * 1024 * 1024;
/// At once; then what was read is written.
constexpr int packets_max = 4096;

struct Closer {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};
using Handle = std::unique_ptr<pcap_t, Closer>;

template <class T = void>
mqtt::Result<T> fault(int code, std::string text) {
  return mqtt::fail(mqtt::ErrorDomain::system, code, std::move(text));
}

class PcapCapture final : public LiveCapture {
 public:
  explicit PcapCapture(Handle handle)
      : handle_{std::move(handle)},
        link_{static_cast<LinkType>(pcap_datalink(handle_.get()))},
        nanoseconds_{pcap_get_tstamp_precision(handle_.get()) == PCAP_TSTAMP_PRECISION_NANO} {}

  [[nodiscard]] int fd() const override { return pcap_get_selectable_fd(handle_.get()); }

  [[nodiscard]] mqtt::Result<void> take(CaptureHandler& handler) override {
    Taking taking{*this, handler};
    const int taken =
        pcap_dispatch(handle_.get(), packets_max, &on_packet, reinterpret_cast<unsigned char*>(&taking));
    if (taken >= 0) return {};
    return fault(EIO, fmt::format("cannot capture any more: {}", pcap_geterr(handle_.get())));
  }

  [[nodiscard]] Counts counts() const override {
    pcap_stat counts{};
    if (pcap_stats(handle_.get(), &counts) != 0) return {};
    return {counts.ps_recv, counts.ps_drop, counts.ps_ifdrop};
  }

 private:
  struct Taking {
    const PcapCapture& from;
    CaptureHandler& to;
  };

  static void on_packet(unsigned char* user, const pcap_pkthdr* header, const unsigned char* bytes) {
    const Taking& taking = *reinterpret_cast<Taking*>(user);
    const auto fraction =
        static_cast<std::int64_t>(header->ts.tv_usec) * (taking.from.nanoseconds_ ? 1 : 1000);
    taking.to.on_captured(
        {mqtt::TimePoint{std::chrono::seconds{header->ts.tv_sec} + std::chrono::nanoseconds{fraction}},
         taking.from.link_,
         {bytes, header->caplen},
         std::max(header->len, header->caplen)});
  }

  Handle handle_;
  LinkType link_;
  bool nanoseconds_;
};

std::string why(pcap_t* handle, int status) {
  const std::string_view said = pcap_statustostr(status), more = pcap_geterr(handle);
  return more.empty() || more == said ? std::string{said} : fmt::format("{} ({})", said, more);
}

mqtt::Result<void> activate(pcap_t* handle, const std::string& interface) {
  pcap_set_snaplen(handle, snapshot_bytes);
  pcap_set_promisc(handle, 1);
  pcap_set_immediate_mode(handle, 1);
  pcap_set_buffer_size(handle, buffer_bytes);
  pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
  const int status = pcap_activate(handle);
  if (status >= 0) return {};
  const bool forbidden = status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED;
  return fault(forbidden                             ? EPERM
               : status == PCAP_ERROR_NO_SUCH_DEVICE ? EINVAL
                                                     : EIO,
               fmt::format("cannot capture on {}: {}", in_quotes(interface), why(handle, status)));
}

mqtt::Result<void> set_filter(pcap_t* handle, const std::string& filter) {
  if (filter.empty()) return {};
  bpf_program program{};
  const bool compiled = pcap_compile(handle, &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0;
  const bool set = compiled && pcap_setfilter(handle, &program) == 0;
  if (compiled) pcap_freecode(&program);
  if (set) return {};
  return fault(EINVAL, fmt::format("{} is no filter of libpcap: {}", in_quotes(filter), pcap_geterr(handle)));
}

}  // namespace

mqtt::Result<std::unique_ptr<LiveCapture>> LiveCapture::open(const std::string& interface,
                                                             const std::string& filter) {
  char error[PCAP_ERRBUF_SIZE] = "";
  Handle handle{pcap_create(interface.c_str(), error)};
  if (!handle) return fault<std::unique_ptr<LiveCapture>>(EIO, error);
  if (auto active = activate(handle.get(), interface); !active)
    return std::unexpected(std::move(active.error()));
  if (auto set = set_filter(handle.get(), filter); !set) return std::unexpected(std::move(set.error()));
  if (pcap_setnonblock(handle.get(), 1, error) != 0 || pcap_get_selectable_fd(handle.get()) < 0)
    return fault<std::unique_ptr<LiveCapture>>(
        EIO, fmt::format("cannot wait for {}: {}", in_quotes(interface), error));
  return std::make_unique<PcapCapture>(std::move(handle));
}

}  // namespace mq::spy
