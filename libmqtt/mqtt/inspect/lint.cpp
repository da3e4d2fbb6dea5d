#include <mqtt/inspect/lint.hpp>

#include <algorithm>
#include <array>
#include <tuple>

#include <mqtt/inspect/dissect.hpp>
#include <mqtt/inspect/rules.hpp>

namespace mqtt {
namespace {

constexpr std::size_t types = 16;  // and the end, which is 0

/// The rules to be looked at for each type of packet, for 5.0 and before it, by what they need.
using Index = std::array<std::array<std::array<std::vector<const Rule*>, types>, 2>, 3>;

Index make_index() {
  Index index;
  for (const std::span<const Rule> subject : all_rules())
    for (const Rule& rule : subject)
      for (unsigned type = 0; type < types; ++type) {
        if (!rule.check || (rule.when >> type & 1) == 0) continue;
        const auto needs = static_cast<std::size_t>(rule.needs);
        if (!rule.clause.v5.empty()) index[needs][1][type].push_back(&rule);
        if (!rule.clause.v3_1_1.empty()) index[needs][0][type].push_back(&rule);
      }
  return index;
}

void look_at_rules(Judge& judge, unsigned type) {
  static const Index index = make_index();
  const std::size_t version = judge.state.version == Version::v5 ? 1 : 0;
  for (const Rule* rule : index[0][version][type]) judge.look(*rule);
  if (judge.state.past)
    for (const Rule* rule : index[1][version][type]) judge.look(*rule);
  if (judge.origins)
    for (const Rule* rule : index[2][version][type]) judge.look(*rule);
}

/// Bytes of the field with this name, the first byte for none.
std::pair<std::uint32_t, std::uint32_t> place_of_field(const FlowPacket& packet, std::string_view name,
                                                       std::size_t nth) {
  if (name.empty()) return {0, 1};
  Dissection d;
  dissect(d, packet.bytes, {packet.version, packet.sender});
  for (const Field& field : d.fields)
    if (field.name == name && nth-- == 0) return {field.offset, field.size};
  return {0, 1};
}

void lint_faults(const FlowPacket& packet, std::vector<Finding>& out) {
  for (const DecodeError& fault : packet.broken->faults) {
    const Rule* rule = find_decoding_rule(fault.clause, packet.version);
    const std::uint32_t size = fault.offset < packet.bytes.size() ? 1 : 0;
    out.push_back({rule, fault.clause, packet.version, rule ? rule->severity : Severity::error, packet.sender,
                   packet.step, fault.offset, size, 0, std::string{fault.what}});
  }
}

}  // namespace

const Rule* find_decoding_rule(std::string_view clause, Version version) {
  const auto rule =
      std::ranges::find_if(rules::decoding(), [&](const Rule& r) { return r.clause.id(version) == clause; });
  return rule == rules::decoding().end() ? nullptr : &*rule;
}

std::span<const std::span<const Rule>> all_rules() {
  static const std::array all{
      rules::decoding(), rules::connecting(), rules::publishing(), rules::answering(),  rules::subscribing(),
      rules::ending(),   rules::delivering(), rules::announcing(), rules::tolerating(), rules::carrying(),
      rules::resuming(), rules::forwarding(), rules::hinting()};
  return all;
}

bool Judge::fresh_session() const {
  if (!state.all_seen() || !state.connect || !state.accepted() || state.connack->session_present)
    return false;
  return state.version != Version::v3_1 || state.connect->clean_start;
}

const OpenMessage* Judge::left_open(PacketId id) const {
  if (!state.past) return nullptr;
  const auto& messages = state.past->messages[static_cast<std::size_t>(sender())];
  const auto found = messages.find(id);
  return found == messages.end() ? nullptr : &found->second;
}

Finding& Judge::add(Sender side, std::string detail, std::uint64_t other) {
  std::string text{rule_->text};
  if (!detail.empty()) text += ": " + detail;
  return out_.emplace_back(Finding{rule_, rule_->clause.id(state.version), state.version, rule_->severity,
                                   side, packet_ ? packet_->step : Step{0, now()}, 0, 0, other,
                                   std::move(text)});
}

void Judge::report(std::string_view field, std::string detail, std::uint64_t other, std::size_t nth) {
  Finding& finding = add(sender(), std::move(detail), other);
  std::tie(finding.offset, finding.size) = place_of_field(*packet_, field, nth);
}

void Judge::report_bytes(std::uint32_t offset, std::uint32_t size, std::string detail) {
  Finding& finding = add(sender(), std::move(detail), 0);
  finding.offset = offset;
  finding.size = size;
}

void Judge::report_at_end(Sender side, std::string detail, std::uint64_t other) {
  add(side, std::move(detail), other);
}

PropertiesView rules::properties_of(const PacketView& packet) {
  return std::visit(
      [](const auto& p) {
        if constexpr (requires { p.properties; })
          return p.properties;
        else
          return PropertiesView{};
      },
      packet);
}

void lint(const FlowPacket& packet, const FlowState& state, std::vector<Finding>& out,
          const Origins* origins) {
  if (packet.broken) return lint_faults(packet, out);
  if (!packet.packet) return;  // too large to be read
  Judge judge{&packet, nullptr, state, out, origins};
  look_at_rules(judge, static_cast<unsigned>(judge.type()));
}

void lint(const FlowClose& close, const FlowState& state, std::vector<Finding>& out) {
  Judge judge{nullptr, &close, state, out};
  look_at_rules(judge, 0);
}

}  // namespace mqtt
