#include "mqspy/ladder_writer.hpp"

#include <fmt/format.h>

#include <iterator>

#include <mqtt/inspect/shown.hpp>

#include "mqspy/line_writer.hpp"
#include "mqspy/names.hpp"
#include "mqspy/packet_text.hpp"

namespace mq::spy {
namespace {

using mqtt::Sender;

/// Between the two lines.
constexpr std::size_t width = 72;

/// What Mermaid would take for its own.
std::string for_mermaid(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '#' || c == ';' || c == ':')
      fmt::format_to(std::back_inserter(out), "#{};", static_cast<int>(c));
    else
      out.push_back(c);
  }
  return out;
}

std::string joined(std::span<const mqtt::Finding> findings) {
  std::string text;
  for (const mqtt::Finding& finding : findings) {
    if (!text.empty()) text += "  ";
    append_finding(text, finding);
  }
  return text;
}

}  // namespace

LadderWriter::LadderWriter(std::string& out, View view, std::string client)
    : out_{out}, view_{view}, client_{std::move(client)}, time_{view.time} {}

bool LadderWriter::shows(const Link& link, const mqtt::FlowState& state) const {
  if (client_.empty() || shown_.contains(link.number)) return true;
  if (state.connect && state.connect->client_id == client_) return true;
  return client_ == fmt::format("c{}", link.number) || client_ == link.client;
}

void LadderWriter::on_open(const OpenRecord&) {
  if (view_.mermaid && !begun_) out_ += "sequenceDiagram\n";
  begun_ = true;
}

void LadderWriter::introduce(const Link& link, const mqtt::FlowState& state) {
  if (!shown_.insert(link.number).second) return;
  const std::string id = state.connect ? mqtt::shown(state.connect->client_id) : std::string{};
  if (view_.mermaid) {
    fmt::format_to(std::back_inserter(out_), "  participant c{0} as c{0} {1}\n  participant s{0} as {2}\n",
                   link.number, for_mermaid(id.empty() ? link.client : id),
                   for_mermaid(link.server.empty() ? "server" : link.server));
    return;
  }
  const std::string left = fmt::format("{} {}", id, link.client), right = link.server;
  time_.append(out_, link.opened);
  fmt::format_to(std::back_inserter(out_), " c{} {} {:>{}}\n", link.number, left, right,
                 left.size() < width ? width + 2 - left.size() - 1 : 0);
}

void LadderWriter::arrow(const PacketRecord& record, const std::string& label) {
  const bool right = record.packet.sender == Sender::client;
  if (view_.mermaid) {
    const auto n = record.link.number;
    fmt::format_to(std::back_inserter(out_), "  {}{}{}{}{}: {}\n", right ? 'c' : 's', n,
                   right ? "->>" : "-->>", right ? 's' : 'c', n, for_mermaid(label));
    return;
  }
  time_.append(out_, record.packet.step.time);
  const std::string dashes(label.size() + 4 < width ? width - label.size() - 4 : 0, '-');
  const std::string drawn = right ? "-- " + label + " " + dashes + ">" : "<" + dashes + " " + label + " --";
  fmt::format_to(std::back_inserter(out_), " c{} |{}|\n", record.link.number, drawn);
}

void LadderWriter::remark(mqtt::TimePoint time, const Link& link, std::string_view text) {
  if (view_.mermaid) {
    fmt::format_to(std::back_inserter(out_), "  Note over c{0},s{0}: {1}\n", link.number, for_mermaid(text));
    return;
  }
  time_.append(out_, time);
  fmt::format_to(std::back_inserter(out_), " c{} | {}\n", link.number, text);
}

void LadderWriter::on_packet(const PacketRecord& record) {
  if (!shows(record.link, record.state)) return;
  if (view_.quiet && is_quiet(record)) return;
  introduce(record.link, record.state);
  std::string label;
  append_packet(label, record.packet, view_);
  if (const auto latency = record.latency()) append_latency(label += ' ', *latency);
  arrow(record, label);
  if (!record.findings.empty()) remark(record.packet.step.time, record.link, joined(record.findings));
}

void LadderWriter::on_close(const CloseRecord& record) {
  if (!shows(record.link, record.state)) return;
  introduce(record.link, record.state);
  remark(record.close.time, record.link, fmt::format("CLOSE why: {}", record.why));
  if (!record.findings.empty()) remark(record.close.time, record.link, joined(record.findings));
  shown_.erase(record.link.number);
}

void LadderWriter::on_gap(const GapRecord& record) {
  if (shown_.contains(record.link.number))
    remark(record.time, record.link,
           fmt::format("GAP {} {}B missing", dir_name(record.sender), record.bytes));
}

void LadderWriter::on_fault(const FaultRecord& record) {
  if (shown_.contains(record.link.number))
    remark(record.time, record.link, fmt::format("FAULT {}", mqtt::shown(record.action)));
}

}  // namespace mq::spy
