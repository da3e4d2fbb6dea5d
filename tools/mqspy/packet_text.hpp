#pragma once
#include <string>
#include <vector>

#include <mqtt/inspect/dissect.hpp>
#include <mqtt/inspect/flow.hpp>
#include <mqtt/inspect/lint.hpp>

#include "mqspy/view.hpp"

namespace mq::spy {

/// One row per field, with its bytes (Detail::hex) or only its place (Detail::fields):
/// "    00  32                                   header PUBLISH dup=0 qos=1 retain=0". What is wrong stands
/// behind the field that shows it; what was left out stands at the end.
void append_fields(std::string& out, const mqtt::FlowPacket& packet, std::span<const mqtt::Finding> findings,
                   const View& view);

/// "! E 5.0 MQTT-3.3.1-2 DUP on QoS 0 @0"
void append_finding(std::string& out, const mqtt::Finding& finding);

}  // namespace mq::spy
