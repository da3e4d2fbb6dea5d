#include "mqspy/pcapng_writer.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include <mqtt/util/text.hpp>

#include "mqspy/names.hpp"
#include "mqspy/packet_text.hpp"
#include "mqspy/redaction.hpp"

namespace mq::spy {
namespace {

using mqtt::Sender;

constexpr std::uint8_t flag_fin = 1, flag_syn = 2, flag_rst = 4, flag_push = 8, flag_ack = 16;
/// What fits an IP packet with its headers.
constexpr std::size_t segment_max_bytes = 60'000;
/// Wireshark opens no file with a longer packet (WTAP_MAX_PACKET_SIZE_STANDARD).
constexpr std::size_t packet_max_bytes = 262'144;

void put_le(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned n = 0; n < bytes; ++n) out.push_back(static_cast<char>(value >> (8 * n) & 0xFF));
}
void put_be(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned n = bytes; n > 0; --n) out.push_back(static_cast<char>(value >> (8 * (n - 1)) & 0xFF));
}
void pad(std::string& out, std::size_t since) {
  while ((out.size() - since) % 4 != 0) out.push_back('\0');
}

void put_option(std::string& out, std::uint16_t code, std::string_view value) {
  const std::size_t begin = out.size();
  put_le(out, code, 2);
  put_le(out, value.size(), 2);
  out += value;
  pad(out, begin);
}

std::string address_of(const NetEnd& end) {
  const std::string_view all{reinterpret_cast<const char*>(end.address.data()), end.address.size()};
  return std::string{is_ipv4(end) ? all.substr(12) : all};
}

/// Addresses that nobody has, where there are none (RFC 5737).
NetEnd made_up(Sender sender, std::uint64_t number) {
  NetEnd end;
  end.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1};
  if (sender == Sender::server) {
    end.port = 1883;
    return end;
  }
  end.address[15] = 2;
  end.port = static_cast<std::uint16_t>(1024 + number % 60'000);
  return end;
}

struct Ends {
  NetEnd from;
  NetEnd to;
};

Ends ends_of(const Link& link, Sender sender) {
  const std::string_view named{link.client};  // "192.0.2.9:4242 by 10.0.0.7:51234" behind a proxy
  const auto client = parse_end(named.substr(0, named.find(' '))), server = parse_end(link.server);
  const bool usable = client && server && is_ipv4(*client) == is_ipv4(*server);
  const NetEnd c = usable ? *client : made_up(Sender::client, link.number),
               s = usable ? *server : made_up(Sender::server, link.number);
  return sender == Sender::client ? Ends{c, s} : Ends{s, c};
}

std::uint16_t checksum(std::string_view data, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < data.size(); ++i)
    sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(data[i])) << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void patch_be(std::string& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<char>(value >> 8);
  out[at + 1] = static_cast<char>(value & 0xFF);
}

/// An Ethernet frame with the TCP segment.
std::string frame(const Ends& ends, std::string segment) {
  const bool v4 = is_ipv4(ends.from);
  const std::string from = address_of(ends.from), to = address_of(ends.to);
  std::string pseudo = from + to;
  put_be(pseudo, segment.size(), 4);
  put_be(pseudo, 6, 4);
  patch_be(segment, 16, checksum(pseudo + segment));
  std::string out(12, '\0');
  put_be(out, v4 ? 0x0800 : 0x86DD, 2);
  std::string ip;
  if (v4) {
    put_be(ip, 0x45000000 | (20 + segment.size()), 4);
    put_be(ip, 0x4000, 4);      // not to be fragmented
    put_be(ip, 0x40060000, 4);  // TTL 64, TCP
    ip += from + to;
    patch_be(ip, 10, checksum(ip));
  } else {
    put_be(ip, 0x60000000, 4);
    put_be(ip, segment.size() << 16 | 6 << 8 | 64, 4);
    ip += from + to;
  }
  return out + ip + segment;
}

std::string finding_text(const mqtt::Finding& finding) {
  std::string text;
  append_finding(text, finding);
  return text;
}

}  // namespace

std::optional<NetEnd> parse_end(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = mqtt::parse_number<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!port) return std::nullopt;
  NetEnd end;
  end.port = *port;
  const std::string name{host};
  if (bracketed && ::inet_pton(AF_INET6, name.c_str(), end.address.data()) == 1) return end;
  end.address = made_up(Sender::client, 0).address;
  return ::inet_pton(AF_INET, name.c_str(), end.address.data() + 12) == 1 ? std::optional{end} : std::nullopt;
}

PcapngWriter::PcapngWriter(std::string& out, View view, PcapStyle style)
    : out_{out}, view_{view}, style_{style} {
  std::string section;
  put_le(section, 0x1A2B3C4D, 4);
  put_le(section, 1, 4);  // version 1.0
  put_le(section, ~std::uint64_t{0}, 8);
  put_option(section, 4, "mqspy");
  put_le(section, 0, 4);
  block(0x0A0D0D0A, section);
  std::string interface;
  put_le(interface, static_cast<unsigned>(style == PcapStyle::pdu ? LinkType::upper_pdu : LinkType::ethernet),
         4);
  put_le(interface, 0, 4);
  put_option(interface, 9, "\x09");  // nanoseconds
  put_le(interface, 0, 4);
  block(1, interface);
}

void PcapngWriter::block(std::uint32_t type, std::string_view body) {
  const std::size_t size = 12 + body.size();
  put_le(out_, type, 4);
  put_le(out_, size, 4);
  out_ += body;
  put_le(out_, size, 4);
}

void PcapngWriter::packet(mqtt::TimePoint time, std::string_view bytes, const Comments& comments,
                          std::uint64_t left_out) {
  const std::uint64_t sent = bytes.size() + left_out;
  bytes = bytes.substr(0, packet_max_bytes);
  const auto ns = static_cast<std::uint64_t>(time.time_since_epoch().count());
  std::string body;
  body.reserve(bytes.size() + 64);
  put_le(body, 0, 4);
  put_le(body, ns >> 32, 4);
  put_le(body, ns, 4);
  put_le(body, bytes.size(), 4);
  put_le(body, sent, 4);
  body += bytes;
  pad(body, 0);
  for (const std::string& comment : comments)
    put_option(body, 1, std::string_view{comment}.substr(0, 60'000));
  if (!comments.empty()) put_le(body, 0, 4);
  block(6, body);
}

void PcapngWriter::pdu(const Link& link, Sender sender, mqtt::TimePoint time, std::string_view bytes,
                       const Comments& comments, std::uint64_t left_out) {
  const Ends ends = ends_of(link, sender);
  std::string out;
  const auto tag = [&out](unsigned code, std::string_view value) {
    put_be(out, code, 2);
    put_be(out, value.size(), 2);
    out += value;
  };
  const auto number = [](std::uint32_t value) {
    std::string text;
    put_be(text, value, 4);
    return text;
  };
  tag(12, "mqtt");
  tag(is_ipv4(ends.from) ? 20 : 22, address_of(ends.from));
  tag(is_ipv4(ends.to) ? 21 : 23, address_of(ends.to));
  tag(24, number(2));  // ports of TCP
  tag(25, number(ends.from.port));
  tag(26, number(ends.to.port));
  tag(0, "");
  packet(time, out += bytes, comments, left_out);
}

void PcapngWriter::segment(const Link& link, Sender sender, mqtt::TimePoint time, std::uint8_t flags,
                           std::string_view bytes, const Comments& comments) {
  const Ends ends = ends_of(link, sender);
  Sequences& next = sequences_[link.number];
  const auto side = static_cast<std::size_t>(sender);
  std::string tcp;
  put_be(tcp, ends.from.port, 2);
  put_be(tcp, ends.to.port, 2);
  put_be(tcp, next[side], 4);
  put_be(tcp, (flags & flag_ack) != 0 ? next[1 - side] : 0, 4);
  put_be(tcp, 0x5000U | flags, 2);
  put_be(tcp, 0xFFFF0000'0000, 6);
  tcp += bytes;
  next[side] += static_cast<std::uint32_t>(bytes.size()) + ((flags & (flag_syn | flag_fin)) != 0 ? 1 : 0);
  packet(time, frame(ends, std::move(tcp)), comments);
}

void PcapngWriter::stream(const Link& link, Sender sender, mqtt::TimePoint time, std::string_view bytes,
                          const Comments& comments) {
  for (std::size_t at = 0; at < bytes.size(); at += segment_max_bytes) {
    const bool last = at + segment_max_bytes >= bytes.size();
    segment(link, sender, time, flag_push | flag_ack, bytes.substr(at, segment_max_bytes),
            last ? comments : Comments{});
  }
}

void PcapngWriter::on_open(const OpenRecord& record) {
  if (style_ == PcapStyle::pdu) return;
  const Link& link = record.link;
  sequences_[link.number] = {1000, 1000};
  if (link.partial) return;
  segment(link, Sender::client, link.opened, flag_syn, {}, {});
  segment(link, Sender::server, link.opened, flag_syn | flag_ack, {}, {});
  segment(link, Sender::client, link.opened, flag_ack, {}, {});
}

void PcapngWriter::on_packet(const PacketRecord& record) {
  const mqtt::FlowPacket& p = record.packet;
  Comments comments;
  for (const mqtt::Finding& finding : record.findings) comments.push_back(finding_text(finding));
  if (p.left_out > 0) comments.push_back(fmt::format("{} bytes were not kept", p.left_out));
  const std::string hidden = view_.show_secrets ? std::string{} : redacted(p.bytes, {p.version, p.sender});
  const std::string_view bytes = view_.show_secrets ? mqtt::as_text(p.bytes) : hidden;
  if (style_ == PcapStyle::pdu) return pdu(record.link, p.sender, p.step.time, bytes, comments, p.left_out);
  stream(record.link, p.sender, p.step.time, bytes, comments);
  skip(record.link, p.sender, p.left_out);
}

void PcapngWriter::on_close(const CloseRecord& record) {
  Comments comments{fmt::format("CLOSE by={} {} why: {}",
                                record.close.by ? side_name(*record.close.by) : "nobody",
                                how_name(record.close.how), record.why)};
  for (const mqtt::Finding& finding : record.findings) comments.push_back(finding_text(finding));
  const Sender by = record.close.by.value_or(Sender::client);
  const mqtt::TimePoint time = record.close.time;
  if (style_ == PcapStyle::pdu) return pdu(record.link, by, time, {}, comments);
  if (record.close.how == mqtt::FlowClose::How::reset) {
    segment(record.link, by, time, flag_rst | flag_ack, {}, comments);
  } else {
    segment(record.link, by, time, flag_fin | flag_ack, {}, comments);
    segment(record.link, mqtt::other(by), time, flag_fin | flag_ack, {}, {});
    segment(record.link, by, time, flag_ack, {}, {});
  }
  sequences_.erase(record.link.number);
}

/// TCP would have numbered what is missing.
void PcapngWriter::on_gap(const GapRecord& record) {
  if (style_ == PcapStyle::pdu)
    return pdu(record.link, record.sender, record.time, {}, {fmt::format("GAP {}B missing", record.bytes)});
  skip(record.link, record.sender, record.bytes);
}

void PcapngWriter::skip(const Link& link, Sender sender, std::uint64_t bytes) {
  sequences_[link.number][static_cast<std::size_t>(sender)] += static_cast<std::uint32_t>(bytes);
}

void PcapngWriter::on_fault(const FaultRecord& record) {
  const Comments comments{fmt::format("FAULT {} by: {}", record.action, record.rule)};
  if (style_ == PcapStyle::pdu) return pdu(record.link, record.sender, record.time, {}, comments);
  segment(record.link, record.sender, record.time, flag_ack, {}, comments);
}

}  // namespace mq::spy
