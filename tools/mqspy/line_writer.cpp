#include "mqspy/line_writer.hpp"

#include <fmt/format.h>

#include <iterator>

#include <mqtt/inspect/describe.hpp>
#include <mqtt/util/text.hpp>

#include "mqspy/names.hpp"
#include "mqspy/packet_text.hpp"

namespace mq::spy {
namespace {

using mqtt::PacketType;
using mqtt::Sender;

char arrow(Sender sender) { return sender == Sender::client ? '>' : '<'; }

constexpr std::string_view uncolored = "\x1b[0m", red = "\x1b[31m", green = "\x1b[32m", yellow = "\x1b[33m",
                           blue = "\x1b[34m", magenta = "\x1b[35m", cyan = "\x1b[36m", faint = "\x1b[2m";

std::string_view color_of(std::uint8_t first_byte) {
  switch (static_cast<PacketType>(first_byte >> 4)) {
    case PacketType::connect:
    case PacketType::connack:
    case PacketType::auth: return green;
    case PacketType::publish: return cyan;
    case PacketType::subscribe:
    case PacketType::suback:
    case PacketType::unsubscribe:
    case PacketType::unsuback: return blue;
    case PacketType::disconnect: return magenta;
    default: return faint;
  }
}

/// To a tenth of a second, or a microsecond if it is short.
std::string life(mqtt::Duration duration) {
  const auto unit = duration < std::chrono::seconds{1} ? mqtt::Duration{std::chrono::microseconds{1}}
                                                       : mqtt::Duration{std::chrono::milliseconds{100}};
  return mqtt::format_duration(duration - duration % unit);
}

}  // namespace

bool is_quiet(const PacketRecord& record) {
  if (!record.findings.empty() || !record.packet.packet) return false;
  switch (mqtt::type_of(*record.packet.packet)) {
    case PacketType::pingreq:
    case PacketType::pingresp: return true;
    case PacketType::puback: return !is_error(std::get<mqtt::PubackView>(*record.packet.packet).reason);
    case PacketType::pubrec: return !is_error(std::get<mqtt::PubrecView>(*record.packet.packet).reason);
    case PacketType::pubrel: return !is_error(std::get<mqtt::PubrelView>(*record.packet.packet).reason);
    case PacketType::pubcomp: return !is_error(std::get<mqtt::PubcompView>(*record.packet.packet).reason);
    default: return false;
  }
}

void LineWriter::paint(std::string_view code) {
  if (view_.painting == Painting::colored) out_ += code;
}

std::size_t LineWriter::begin(mqtt::TimePoint time, const Link& link, char direction) {
  const std::size_t from = out_.size();
  if (view_.time == TimeStyle::none) return (out_ += direction) += ' ', 2;
  time_.append(out_, time);
  const fmt::format_int number{link.number};
  (((out_ += " c").append(number.data(), number.size()) += ' ') += direction) += ' ';
  return out_.size() - from;
}

void LineWriter::on_open(const OpenRecord& record) {
  if (view_.only_findings) return;
  const Link& link = record.link;
  begin(link.opened, link, '-');
  out_ += "OPEN    ";
  for (const std::string* part : {&link.client, &link.server, &link.transport})
    if (!part->empty()) (out_ += ' ') += *part;
  if (link.partial) out_ += " partial";
  out_.push_back('\n');
}

void append_packet(std::string& out, const mqtt::FlowPacket& packet, const View& view) {
  const mqtt::Reading* const broken = packet.broken;
  if (const mqtt::PacketView* const readable = packet.readable())
    return mqtt::append_description(out, *readable, packet.version,
                                    {.show_secrets = view.show_secrets,
                                     .payload_preview_bytes = view.preview_bytes,
                                     .topic = packet.topic,
                                     .left_out = packet.left_out,
                                     .size = broken ? packet.size() : 0,
                                     .body_read = broken ? broken->body_read : std::nullopt});
  fmt::format_to(std::back_inserter(out), "{:<8} {} {}B", mqtt::to_string(type_of(packet)),
                 broken ? "broken" : "too large to be read,", packet.size());
}

void append_latency(std::string& out, mqtt::Duration latency) {
  fmt::format_to(std::back_inserter(out), "+{:.3f}ms", static_cast<double>(latency.count()) / 1e6);
}

void LineWriter::on_packet(const PacketRecord& record) {
  if (view_.quiet && is_quiet(record)) return;
  if (view_.only_findings && record.findings.empty()) return;
  const mqtt::FlowPacket& packet = record.packet;
  const std::size_t indent = begin(packet.step.time, record.link, arrow(packet.sender));
  paint(color_of(packet.bytes[0]));
  append_packet(out_, packet, view_);
  paint(uncolored);
  if (const auto latency = record.latency()) append_latency(out_ += "  ", *latency);
  out_.push_back('\n');
  if (view_.detail == Detail::none) return findings(record.findings, indent);
  append_fields(out_, packet, record.findings, view_);
}

void LineWriter::findings(std::span<const mqtt::Finding> findings, std::size_t indent) {
  if (findings.empty()) return;
  out_.append(indent, ' ');
  for (const mqtt::Finding& finding : findings) {
    if (&finding != findings.data()) out_.append(6, ' ');
    paint(finding.severity == mqtt::Severity::error ? red : yellow);
    append_finding(out_, finding);
    paint(uncolored);
  }
  out_.push_back('\n');
}

void LineWriter::on_close(const CloseRecord& record) {
  const mqtt::FlowClose& close = record.close;
  if (view_.only_findings && record.findings.empty()) return;
  const std::size_t indent = begin(close.time, record.link, 'x');
  paint(magenta);
  out_ += "CLOSE   ";
  paint(uncolored);
  fmt::format_to(std::back_inserter(out_), " by={} {} life={} c2s={} s2c={}  why: {}",
                 !close.by                     ? "?"
                 : *close.by == Sender::client ? "client"
                                               : "server",
                 how_name(close.how), life(close.time - record.link.opened),
                 record.state.side(Sender::client).packets, record.state.side(Sender::server).packets,
                 record.why);
  out_.push_back('\n');
  findings(record.findings, indent);
}

void LineWriter::on_gap(const GapRecord& record) {
  begin(record.time, record.link, arrow(record.sender));
  out_ += "GAP      ";
  if (record.bytes > 0) fmt::format_to(std::back_inserter(out_), "{}B ", record.bytes);
  out_ += "missing\n";
}

void LineWriter::on_fault(const FaultRecord& record) {
  begin(record.time, record.link, arrow(record.sender));
  paint(yellow);
  fmt::format_to(std::back_inserter(out_), "FAULT    {} by: {}", mqtt::escape_for_terminal(record.action),
                 mqtt::escape_for_terminal(record.rule));
  paint(uncolored);
  out_.push_back('\n');
}

void LineWriter::on_difference(const DifferenceRecord& record) {
  begin(record.time, record.link, '!');
  paint(red);
  fmt::format_to(std::back_inserter(out_), "DIFF     {} {}: recorded {}, now {}", record.type, record.what,
                 mqtt::escape_for_terminal(record.recorded), mqtt::escape_for_terminal(record.replayed));
  paint(uncolored);
  out_.push_back('\n');
}

void LineWriter::on_note(const NoteRecord& record) {
  if (record.link || view_.time == TimeStyle::none)
    begin(record.time.value_or(mqtt::TimePoint{}), record.link ? *record.link : Link{}, '-');
  else if (record.time)
    time_.append(out_, *record.time), out_.push_back(' ');
  fmt::format_to(std::back_inserter(out_), "NOTE     {}\n", mqtt::escape_for_terminal(record.text));
}

}  // namespace mq::spy
