#include "mqspy/capture.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mq::spy {
namespace {

constexpr std::uint32_t pcap_us = 0xA1B2C3D4, pcap_ns = 0xA1B23C4D, section_block = 0x0A0D0D0A,
                        byte_order_magic = 0x1A2B3C4D;
constexpr std::uint32_t interface_block = 1, packet_block = 2, simple_block = 3, enhanced_block = 6;
constexpr std::uint16_t tsresol_option = 9, tsoffset_option = 14;
constexpr std::size_t pcap_header = 24, record_header = 16, block_min = 12;
constexpr std::size_t interfaces_max = 65'536;

std::uint32_t little(mqtt::Bytes from, std::size_t at) {
  return std::uint32_t{from[at]} | std::uint32_t{from[at + 1]} << 8 | std::uint32_t{from[at + 2]} << 16 |
         std::uint32_t{from[at + 3]} << 24;
}

std::uint32_t swapped(std::uint32_t value) {
  return value >> 24 | (value >> 8 & 0xFF00) | (value << 8 & 0xFF0000) | value << 24;
}

mqtt::TimePoint since_1970(std::int64_t seconds, std::int64_t nanoseconds) {
  // 292 years of nanoseconds are what there is; a file may say anything.
  constexpr std::int64_t most = 9'000'000'000;
  return mqtt::TimePoint{std::chrono::seconds{std::clamp(seconds, -most, most)} +
                         std::chrono::nanoseconds{nanoseconds}};
}

}  // namespace

bool is_capture(mqtt::Bytes begin) {
  if (begin.size() < 4) return false;
  const std::uint32_t magic = little(begin, 0);
  return magic == section_block || magic == pcap_us || magic == pcap_ns || magic == swapped(pcap_us) ||
         magic == swapped(pcap_ns);
}

std::uint16_t CaptureReader::u16(mqtt::Bytes from, std::size_t at) const {
  const unsigned first = from[at], second = from[at + 1];
  return static_cast<std::uint16_t>(order_ == Order::little ? first | second << 8 : first << 8 | second);
}

std::uint32_t CaptureReader::u32(mqtt::Bytes from, std::size_t at) const {
  const std::uint32_t value = little(from, at);
  return order_ == Order::little ? value : swapped(value);
}

CaptureFault CaptureReader::damaged(std::string_view what) const {
  return fmt::format("the capture is damaged at byte {}: {}", at_, what);
}

std::expected<std::size_t, CaptureFault> CaptureReader::take(mqtt::Bytes data, CaptureHandler& handler) {
  std::size_t taken = 0;
  while (taken < data.size()) {
    const mqtt::Bytes rest = data.subspan(taken);
    Taken one = 0;
    if (skip_ > 0) {
      one = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, rest.size()));
      skip_ -= *one;
    } else if (format_ == Format::unknown) {
      one = begin(rest);
    } else {
      one = format_ == Format::pcap ? take_record(rest, handler) : take_block(rest, handler);
    }
    if (!one) return one;
    if (*one == 0 && format_ != Format::pcapng) break;
    if (*one == 0 && skip_ == 0) break;
    taken += *one;
    at_ += *one;
  }
  return taken;
}

CaptureReader::Taken CaptureReader::begin(mqtt::Bytes data) {
  if (data.size() < 4) return 0;
  if (!is_capture(data)) return std::unexpected("this is neither a pcap nor a pcapng file");
  const std::uint32_t magic = little(data, 0);
  if (magic == section_block) {
    format_ = Format::pcapng;
    return section(data);
  }
  if (data.size() < pcap_header) return 0;
  order_ = magic == pcap_us || magic == pcap_ns ? Order::little : Order::big;
  fraction_ns_ = u32(data, 0) == pcap_ns ? 1 : 1000;
  format_ = Format::pcap;
  interfaces_ = {{static_cast<LinkType>(u32(data, 20) & 0xFFFF), 6, 0}};
  return pcap_header;
}

CaptureReader::Taken CaptureReader::take_record(mqtt::Bytes data, CaptureHandler& handler) {
  if (data.size() < record_header) return 0;
  const std::uint32_t size = u32(data, 8);
  if (size > record_max_bytes) return std::unexpected(damaged(fmt::format("a packet of {} bytes", size)));
  if (data.size() - record_header < size) return 0;
  const mqtt::TimePoint time = since_1970(u32(data, 0), std::int64_t{u32(data, 4)} * fraction_ns_);
  handler.on_captured(
      {time, interfaces_[0].link, data.subspan(record_header, size), std::max(u32(data, 12), size)});
  return record_header + size;
}

/// A section says its byte order, and begins the numbering of interfaces anew.
CaptureReader::Taken CaptureReader::section(mqtt::Bytes data) {
  if (data.size() < block_min) return 0;
  order_ = Order::little;
  if (u32(data, 8) != byte_order_magic) order_ = Order::big;
  if (u32(data, 8) != byte_order_magic) return std::unexpected(damaged("a section without a byte order"));
  const std::uint32_t size = u32(data, 4);
  if (size < block_min || size % 4 != 0) return std::unexpected(damaged("a section of an impossible size"));
  interfaces_.clear();
  skip_ = size;
  return 0;
}

CaptureReader::Taken CaptureReader::take_block(mqtt::Bytes data, CaptureHandler& handler) {
  if (data.size() < 8) return 0;
  if (little(data, 0) == section_block) return section(data);
  const std::uint32_t type = u32(data, 0), size = u32(data, 4);
  if (size < block_min || size % 4 != 0)
    return std::unexpected(damaged(fmt::format("a block of {} bytes", size)));
  const bool wanted =
      type == interface_block || type == packet_block || type == simple_block || type == enhanced_block;
  if (!wanted) {
    skip_ = size;
    return 0;
  }
  if (size > record_max_bytes + 1024)
    return std::unexpected(damaged(fmt::format("a block of {} bytes", size)));
  if (data.size() < size) return 0;
  block(type, data.subspan(8, size - block_min), handler);
  return size;
}

void CaptureReader::block(std::uint32_t type, mqtt::Bytes body, CaptureHandler& handler) {
  if (type == interface_block) return interface(body);
  if (type == simple_block) return simple(body, handler);
  if (body.size() < 20) return;
  enhanced(body, type == packet_block ? u16(body, 0) : u32(body, 0), handler);
}

void CaptureReader::interface(mqtt::Bytes body) {
  if (body.size() < 8 || interfaces_.size() >= interfaces_max) return;
  Interface& on = interfaces_.emplace_back();
  on.link = static_cast<LinkType>(u16(body, 0));
  for (std::size_t at = 8; at + 4 <= body.size();) {
    const std::uint16_t code = u16(body, at), size = u16(body, at + 2);
    if (code == 0 || size > body.size() - at - 4) return;
    if (code == tsresol_option && size == 1) on.resolution = body[at + 4];
    if (code == tsoffset_option && size == 8) {
      const bool low_first = order_ == Order::little;
      const std::uint64_t low = u32(body, at + (low_first ? 4 : 8)),
                          high = u32(body, at + (low_first ? 8 : 4));
      on.offset = static_cast<std::int64_t>(high << 32 | low);
    }
    at += 4 + (std::size_t{size} + 3) / 4 * 4;
  }
}

mqtt::TimePoint CaptureReader::time_of(const Interface& on, std::uint64_t ticks) const {
  constexpr std::int64_t offset_max = 4'000'000'000;
  const std::int64_t offset = std::clamp(on.offset, -offset_max, offset_max);
  const unsigned digits = on.resolution & 0x7Fu;
  if ((on.resolution & 0x80) != 0) {
    if (digits > 63) return since_1970(offset, 0);
    const std::uint64_t fraction = ticks & ((std::uint64_t{1} << digits) - 1);
    const unsigned cut = digits > 30 ? digits - 30 : 0;  // finer than a nanosecond
    return since_1970(static_cast<std::int64_t>(ticks >> digits) + offset,
                      static_cast<std::int64_t>((fraction >> cut) * 1'000'000'000 >> (digits - cut)));
  }
  std::uint64_t per_second = 1;
  for (unsigned n = 0; n < std::min(digits, 19U); ++n) per_second *= 10;
  const std::uint64_t fraction = ticks % per_second;
  const std::uint64_t ns =
      digits <= 9 ? fraction * (1'000'000'000 / per_second) : fraction / (per_second / 1'000'000'000);
  return since_1970(
      static_cast<std::int64_t>(std::min<std::uint64_t>(ticks / per_second, 1ULL << 40)) + offset,
      static_cast<std::int64_t>(ns));
}

void CaptureReader::enhanced(mqtt::Bytes body, std::size_t interface, CaptureHandler& handler) {
  const std::uint32_t size = u32(body, 12);
  if (interface >= interfaces_.size() || size > body.size() - 20) return;
  const Interface& on = interfaces_[interface];
  const std::uint64_t ticks = std::uint64_t{u32(body, 4)} << 32 | u32(body, 8);
  handler.on_captured({time_of(on, ticks), on.link, body.subspan(20, size), std::max(u32(body, 16), size)});
}

/// Has no time.
void CaptureReader::simple(mqtt::Bytes body, CaptureHandler& handler) {
  if (interfaces_.empty() || body.size() < 4) return;
  const std::uint32_t original = u32(body, 0);
  const std::size_t size = std::min<std::size_t>(original, body.size() - 4);
  handler.on_captured({{}, interfaces_[0].link, body.subspan(4, size), original});
}

}  // namespace mq::spy
