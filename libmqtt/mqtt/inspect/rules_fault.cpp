#include <mqtt/inspect/rules.hpp>

// Whether a connection is closed after a packet that should not have been sent: its receiver may notice
// later than we do, and a server closes without a word.

namespace mqtt::rules {
namespace {

using enum PacketType;

/// The certain fault that `sender` made, if the other side has said nothing of it.
const SideState::Fault* fault_of(const Judge& j, Sender sender) {
  const auto& fault = j.state.side(sender).fault;
  if (!fault || j.state.side(other(sender)).disconnect) return nullptr;
  const Rule* rule = find_decoding_rule(fault->clause, j.state.version);
  return rule && rule->severity != Severity::error ? nullptr : &*fault;
}

void report_open(Judge& j, Sender at_fault, const SideState::Fault* fault) {
  if (fault && j.now() - fault->step.time > answer_grace)
    j.report_at_end(other(at_fault), std::string{fault->clause}, fault->step.number);
}

/// Its CONNECT is not known: it could not be read.
bool is_of_connect(const Judge& j, const SideState::Fault& fault) {
  return fault.type == connect && !j.state.connect;
}

void check_broken_connect(Judge& j) {
  const auto* fault = fault_of(j, client);
  if (!fault || !is_of_connect(j, *fault)) return;
  if (j.at_end()) {
    if (!j.state.accepted()) report_open(j, client, fault);
  } else if (j.as<ConnackView>()->reason == ReasonCode::success) {
    j.report({}, std::string{fault->clause}, fault->step.number);
  }
}

void check_second_connect_closed(Judge& j) {
  const auto* fault = fault_of(j, client);
  if (fault && fault->type == connect && j.state.connect) report_open(j, client, fault);
}

void check_server_closed(Judge& j) {
  const auto* fault = fault_of(j, client);
  if (fault && fault->type != connect) report_open(j, client, fault);
}

/// 3.1.1 has a clause of its own for the flags of the fixed header, and asks it of both sides.
void check_closed(Judge& j, bool (*is_wanted)(std::string_view clause)) {
  for (const Sender sender : {client, server}) {
    const auto* fault = fault_of(j, sender);
    if (fault && fault->type != connect && is_wanted(fault->clause)) report_open(j, sender, fault);
  }
}
void check_flags_closed(Judge& j) {
  check_closed(j, [](std::string_view clause) { return clause == clauses::flags_reserved.v3_1_1; });
}
void check_others_closed(Judge& j) {
  check_closed(j, [](std::string_view clause) { return clause != clauses::flags_reserved.v3_1_1; });
}

constexpr Rule fault_table[] = {
    {{"MQTT-3.1.4-1"},
     Severity::warning,
     "server did not close after a CONNECT that is none",
     on(connack) | at_close,
     check_broken_connect},
    {{"MQTT-3.1.0-2"},
     Severity::warning,
     "server did not close after a second CONNECT",
     at_close,
     check_second_connect_closed},
    {{"MQTT-4.13.1-1", none},
     Severity::warning,
     "server did not close after a broken packet",
     at_close,
     check_server_closed},
    {{none, "MQTT-2.2.2-2"},
     Severity::warning,
     "receiver of wrong flags did not close",
     at_close,
     check_flags_closed},
    {{none, "MQTT-4.8.0-1"},
     Severity::warning,
     "receiver of a broken packet did not close",
     at_close,
     check_others_closed},
};

}  // namespace

std::span<const Rule> tolerating() { return fault_table; }

}  // namespace mqtt::rules
