#pragma once
#include <string>

#include <mqtt/codec/packet.hpp>

#include "common/message_format.hpp"
#include "messages/local_time.hpp"

namespace mq {

/// Appends the object that mosquitto_sub writes for %j and %J: {"tst":...,"topic":...,"qos":0,"retain":0,
/// "payloadlen":...,"payload":...}. It is always valid JSON and holds all of the message: a payload that
/// is no text is {"base64":...}, and one that is no JSON is written as text even with JsonPayload::parse.
void append_mosquitto_json(std::string& out, const mqtt::PublishView& message, const LocalTime& received,
                           JsonPayload mode);

}  // namespace mq
