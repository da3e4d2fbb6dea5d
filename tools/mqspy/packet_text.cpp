#include "mqspy/packet_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include <mqtt/inspect/shown.hpp>

#include "mqspy/redaction.hpp"

namespace mq::spy {
namespace {

using mqtt::Field;
using mqtt::FieldKind;

constexpr std::size_t row_bytes = 12;
/// A field's bytes are shown up to here: more says nothing to a reader.
constexpr std::size_t dumped_max = 4096;

/// Other names than the specification's, where they are usual, and units.
struct Label {
  std::string_view name;
  std::string_view label;  ///< empty: the specification's name
  std::string_view unit = "";
};
constexpr Label labels[] = {
    {"Control Packet type and flags", "header"},
    {"Topic Name", "topic"},
    {"Message Expiry Interval", "", " s"},
    {"Session Expiry Interval", "", " s"},
    {"Will Delay Interval", "", " s"},
    {"Server Keep Alive", "", " s"},
    {"Keep Alive", "", " s"},
    {"Client Identifier", "client id"},
    {"Undecoded", "not understood"},
};

std::string lower(std::string_view name) {
  std::string out{name};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

Label label_of(const Field& field, std::string& storage) {
  const auto* const found = std::ranges::find(labels, field.name, &Label::name);
  if (found != std::end(labels) && !found->label.empty()) return *found;
  storage = lower(field.name);
  return {field.name, storage, found == std::end(labels) ? "" : found->unit};
}

class Rows {
 public:
  Rows(std::string& out, mqtt::Bytes packet, mqtt::DecodeContext context, const View& view)
      : out_{out}, packet_{packet}, view_{view} {
    mqtt::dissect(dissection_, packet, context);
    if (!view.show_secrets) secret_ = secret_ranges(dissection_);
    offset_width_ = packet.size() > 0x10000 ? 8 : packet.size() > 0x100 ? 4 : 2;
  }

  void write(std::span<const mqtt::Finding> findings) {
    const auto& fields = dissection_.fields;
    std::size_t told = 0;
    for (std::size_t i = 0; i < fields.size();) {
      std::size_t behind = i + 1;
      while (behind < fields.size() && fields[behind].bits != 0) ++behind;
      if (fields[i].kind == FieldKind::raw) told = tell(findings, told, packet_.size() + 1);
      row(fields[i], std::span{fields}.subspan(i + 1, behind - i - 1));
      if (fields[i].kind != FieldKind::raw) told = tell(findings, told, fields[i].offset + fields[i].size);
      i = behind;
    }
    tell(findings, told, packet_.size() + 1);
  }

 private:
  /// Those that show before `end`, which are as many as stand in front.
  std::size_t tell(std::span<const mqtt::Finding> findings, std::size_t told, std::size_t end) {
    for (; told < findings.size() && findings[told].offset < end; ++told) {
      out_.append(6 + offset_width_ + hex_width(), ' ');
      append_finding(out_, findings[told]);
      out_.push_back('\n');
    }
    return told;
  }

  [[nodiscard]] std::size_t hex_width() const { return view_.detail == Detail::hex ? row_bytes * 3 + 1 : 0; }

  void row(const Field& field, std::span<const Field> parts) {
    const std::size_t shown = view_.detail == Detail::hex ? std::min<std::size_t>(field.size, dumped_max) : 0;
    bytes(field.offset, std::min(shown, row_bytes));
    text(field, parts);
    out_.push_back('\n');
    for (std::size_t at = row_bytes; at < shown; at += row_bytes) {
      bytes(field.offset + at, std::min(shown - at, row_bytes));
      while (out_.back() == ' ') out_.pop_back();
      out_.push_back('\n');
    }
    if (shown == dumped_max && field.size > shown)
      fmt::format_to(std::back_inserter(out_), "    {:>{}}  {} bytes more\n", "…", offset_width_,
                     field.size - shown);
  }

  void bytes(std::size_t offset, std::size_t count) {
    fmt::format_to(std::back_inserter(out_), "    {:0{}x}  ", offset, offset_width_);
    const std::size_t from = out_.size();
    for (std::size_t i = offset; i < offset + count; ++i) byte(i);
    if (view_.detail == Detail::hex) out_.append(from + hex_width() - out_.size(), ' ');
  }

  void byte(std::size_t at) {
    constexpr std::string_view digits = "0123456789abcdef";
    const bool hidden = std::ranges::any_of(
        secret_, [at](const SecretRange& r) { return at >= r.offset && at < r.offset + r.size; });
    out_.push_back(hidden ? '*' : digits[packet_[at] >> 4]);
    out_.push_back(hidden ? '*' : digits[packet_[at] & 15]);
    out_.push_back(' ');
  }

  void text(const Field& field, std::span<const Field> parts) {
    std::string storage;
    const Label label = label_of(field, storage);
    out_ += label.label;
    if (!parts.empty()) return bits(parts);
    if (field.kind == FieldKind::text)
      fmt::format_to(std::back_inserter(out_), ", {} bytes:", field.text.size());
    out_.push_back(' ');
    if (field.name == "Payload") return payload(field);
    mqtt::append_value(out_, field, {.show_secrets = view_.show_secrets});
    if (field.kind == FieldKind::number) out_ += label.unit;
  }

  /// "PUBLISH dup=0 qos=1 retain=0"
  void bits(std::span<const Field> parts) {
    for (const Field& part : parts) {
      if (part.kind == FieldKind::name) {
        fmt::format_to(std::back_inserter(out_), " {}", part.text);
        continue;
      }
      std::string name = lower(part.name);
      for (const std::string_view word : {" flag", " level"})
        if (name.ends_with(word)) name.resize(name.size() - word.size());
      std::ranges::replace(name, ' ', '-');
      fmt::format_to(std::back_inserter(out_), " {}={}", name, part.number);
    }
  }

  void payload(const Field& field) {
    const std::string_view shown = field.text.substr(0, view_.preview_bytes);
    out_ += mqtt::escape_for_terminal(shown);
    if (shown.size() < field.text.size()) out_ += "…";
  }

  std::string& out_;
  mqtt::Bytes packet_;
  const View& view_;
  mqtt::Dissection dissection_;
  std::vector<SecretRange> secret_;
  std::size_t offset_width_ = 2;
};

}  // namespace

void append_finding(std::string& out, const mqtt::Finding& finding) {
  static constexpr char letters[] = {'E', 'W', 'I'};
  fmt::format_to(std::back_inserter(out), "! {} {} {} {}",
                 letters[static_cast<std::size_t>(finding.severity)], mqtt::to_string(finding.version),
                 finding.clause, mqtt::escape_for_terminal(finding.text));
  if (finding.packet.number != 0) fmt::format_to(std::back_inserter(out), " @{}", finding.offset);
}

void append_fields(std::string& out, const mqtt::FlowPacket& packet, std::span<const mqtt::Finding> findings,
                   const View& view) {
  std::vector<mqtt::Finding> sorted{findings.begin(), findings.end()};
  std::ranges::sort(sorted, {}, &mqtt::Finding::offset);
  Rows{out, packet.bytes, {packet.version, packet.sender}, view}.write(sorted);
  if (packet.left_out > 0)
    fmt::format_to(std::back_inserter(out), "    {} bytes more, which were not kept\n", packet.left_out);
}

}  // namespace mq::spy
