#include "mqspy/json_records.hpp"

#include <fmt/format.h>

#include "mqspy/line_writer.hpp"
#include "mqspy/names.hpp"
#include "mqspy/redaction.hpp"

namespace mq::spy {
namespace {

using mqtt::Sender;
using mqtt::TimePoint;

std::int64_t micros(mqtt::Duration duration) {
  return std::chrono::floor<std::chrono::microseconds>(duration).count();
}

/// One record: an object and a line feed.
class Line {
 public:
  Line(std::string& out, std::string_view kind) : out_{out}, json_{out} {
    json_.begin_object();
    json_.field("k", kind);
  }
  ~Line() {
    json_.end_object();
    out_.push_back('\n');
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  void connection(const Link& link) {
    char name[24] = "c";
    const auto* const end = fmt::format_to(name + 1, "{}", link.number);
    json_.field("conn", std::string_view{name, static_cast<std::size_t>(end - name)});
  }
  void time(TimePoint time) { json_.field("ts_us", micros(time.time_since_epoch())); }
  JsonWriter& json() { return json_; }

 private:
  std::string& out_;
  JsonWriter json_;
};

std::string_view severity_name(mqtt::Severity severity) {
  switch (severity) {
    case mqtt::Severity::error: return "error";
    case mqtt::Severity::warning: return "warning";
    case mqtt::Severity::info: return "info";
  }
  return "";
}

}  // namespace

void JsonRecords::on_open(const OpenRecord& record) {
  if (view_.only_findings) return;
  Line line{out_, "open"};
  line.connection(record.link);
  line.time(record.link.opened);
  if (!record.link.client.empty()) line.json().field("client", record.link.client);
  if (!record.link.server.empty()) line.json().field("server", record.link.server);
  if (!record.link.transport.empty()) line.json().field("transport", record.link.transport);
  if (record.link.partial) line.json().field("partial", true);
}

void JsonRecords::on_packet(const PacketRecord& record) {
  const mqtt::FlowPacket& packet = record.packet;
  if (view_.quiet && is_quiet(record)) return;
  if (!view_.only_findings) {
    Line line{out_, "pkt"};
    JsonWriter& json = line.json();
    json.field("n", packet.step.number);
    line.connection(record.link);
    line.time(packet.step.time);
    json.field("dir", dir_name(packet.sender));
    write_packet(json, packet, view_);
    if (packet.answers) {
      json.field("answers", packet.answers->number);
      json.field("rtt_us", micros(*record.latency()));
    }
    if (record.in_flight.from_client + record.in_flight.from_server > 0) {
      json.key("inflight");
      json.begin_object();
      json.field("c2s", record.in_flight.from_client);
      json.field("s2c", record.in_flight.from_server);
      json.end_object();
    }
  }
  findings(record.link, record.findings);
}

void JsonRecords::findings(const Link& link, std::span<const mqtt::Finding> findings) {
  for (const mqtt::Finding& finding : findings) {
    Line line{out_, "lint"};
    JsonWriter& json = line.json();
    if (finding.packet.number != 0) json.field("n", finding.packet.number);
    line.connection(link);
    json.field("ver", mqtt::to_string(finding.version));
    json.field("id", finding.clause);
    json.field("sev", severity_name(finding.severity));
    json.field("side", side_name(finding.side));
    if (finding.packet.number != 0) {
      json.field("off", finding.offset);
      json.field("nbytes", finding.size);
    }
    if (finding.other != 0) json.field("other", finding.other);
    json.key("msg");
    json.string(finding.text);
  }
}

void JsonRecords::on_close(const CloseRecord& record) {
  if (!view_.only_findings) {
    Line line{out_, "close"};
    JsonWriter& json = line.json();
    line.connection(record.link);
    line.time(record.close.time);
    if (record.close.by) json.field("by", side_name(*record.close.by));
    json.field("how", how_name(record.close.how));
    json.field("life_us", micros(record.close.time - record.link.opened));
    json.field("c2s", record.state.side(Sender::client).packets);
    json.field("s2c", record.state.side(Sender::server).packets);
    json.field("why", record.cause);
    json.field("msg", record.why);
    if (record.last_error) json.field("last_lint", record.last_error->clause);
  }
  findings(record.link, record.findings);
}

void JsonRecords::on_gap(const GapRecord& record) {
  Line line{out_, "gap"};
  line.connection(record.link);
  line.time(record.time);
  line.json().field("dir", dir_name(record.sender));
  if (record.bytes > 0) line.json().field("nbytes", record.bytes);
}

void JsonRecords::on_fault(const FaultRecord& record) {
  Line line{out_, "fault"};
  JsonWriter& json = line.json();
  if (record.packet != 0) json.field("n", record.packet);
  line.connection(record.link);
  line.time(record.time);
  json.field("dir", dir_name(record.sender));
  json.field("rule", record.rule);
  json.field("action", record.action);
  for (const auto& [name, bytes] : {std::pair{"original", record.original}, std::pair{"sent", record.sent}}) {
    json.key(name);
    const std::string shown =
        view_.show_secrets ? mqtt::to_string(bytes)
                           : redacted_change(record.original, bytes, {mqtt::Version::v5, record.sender});
    write_bytes(json, mqtt::as_bytes(shown));
  }
}

void JsonRecords::on_difference(const DifferenceRecord& record) {
  Line line{out_, "diff"};
  JsonWriter& json = line.json();
  if (record.packet != 0) json.field("n", record.packet);
  line.connection(record.link);
  line.time(record.time);
  if (record.recorded_packet != 0) json.field("recorded_n", record.recorded_packet);
  json.field("type", record.type);
  json.field("what", record.what);
  json.field("recorded", record.recorded);
  json.field("replayed", record.replayed);
}

void JsonRecords::on_note(const NoteRecord& record) {
  Line line{out_, "note"};
  if (record.link) line.connection(*record.link);
  if (record.time) line.time(*record.time);
  line.json().field("msg", record.text);
}

}  // namespace mq::spy
