#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/time.hpp>

// Capture files: pcap and pcapng, of either byte order, without libpcap and without I/O.

namespace mq::spy {

/// What a packet begins with, by the numbers of https://www.tcpdump.org/linktypes.html.
enum class LinkType : std::uint16_t {
  null = 0,
  ethernet = 1,
  raw_bsd = 12,
  raw = 101,
  loop = 108,
  linux_sll = 113,
  ipv4 = 228,
  ipv6 = 229,
  upper_pdu = 252,
  linux_sll2 = 276,
};

struct CapturedPacket {
  mqtt::TimePoint time;
  LinkType link = LinkType::ethernet;
  mqtt::Bytes bytes;  ///< what was kept of it
  std::uint32_t original_size = 0;
};

class CaptureHandler {
 public:
  virtual ~CaptureHandler() = default;
  virtual void on_captured(const CapturedPacket& packet) = 0;
};

/// What is wrong with a file, as a sentence with the byte.
using CaptureFault = std::string;

/// Whether a file that begins so may be a capture; four bytes say it.
[[nodiscard]] bool is_capture(mqtt::Bytes begin);

/// Reads a capture file piece by piece; memory is its caller's.
class CaptureReader {
 public:
  /// The longest record that is believed: more is a damaged length.
  static constexpr std::uint32_t record_max_bytes = 16 * 1024 * 1024;

  /// Takes whole records from the front of `data`, which goes on where the last call stopped taking. Gives
  /// how many bytes it took. A fault ends the reading.
  [[nodiscard]] std::expected<std::size_t, CaptureFault> take(mqtt::Bytes data, CaptureHandler& handler);

 private:
  enum class Format : std::uint8_t { unknown, pcap, pcapng };
  enum class Order : std::uint8_t { little, big };
  struct Interface {
    LinkType link = LinkType::ethernet;
    std::uint8_t resolution = 6;  // digits behind the point; bit 7: binary digits
    std::int64_t offset = 0;      // seconds
  };
  /// Bytes taken; 0 if the record is not all there.
  using Taken = std::expected<std::size_t, CaptureFault>;

  [[nodiscard]] Taken begin(mqtt::Bytes data);
  [[nodiscard]] Taken take_record(mqtt::Bytes data, CaptureHandler& handler);
  [[nodiscard]] Taken take_block(mqtt::Bytes data, CaptureHandler& handler);
  [[nodiscard]] Taken section(mqtt::Bytes data);
  void block(std::uint32_t type, mqtt::Bytes body, CaptureHandler& handler);
  void interface(mqtt::Bytes body);
  void enhanced(mqtt::Bytes body, std::size_t interface, CaptureHandler& handler);
  void simple(mqtt::Bytes body, CaptureHandler& handler);
  [[nodiscard]] mqtt::TimePoint time_of(const Interface& on, std::uint64_t ticks) const;
  [[nodiscard]] std::uint16_t u16(mqtt::Bytes from, std::size_t at) const;
  [[nodiscard]] std::uint32_t u32(mqtt::Bytes from, std::size_t at) const;
  [[nodiscard]] CaptureFault damaged(std::string_view what) const;

  Format format_ = Format::unknown;
  Order order_ = Order::little;
  std::uint32_t fraction_ns_ = 1000;  // pcap: what a tick behind the second is
  std::vector<Interface> interfaces_;
  std::uint64_t at_ = 0;    // in the file
  std::uint64_t skip_ = 0;  // bytes of a block that nobody wants
};

}  // namespace mq::spy
