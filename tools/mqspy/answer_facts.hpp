#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/bytes.hpp>

namespace mq::spy {

/// What an answer says that another broker has to say, too: reason codes, Session Present, limits and what is
/// available. Not there: texts for people, and what each broker chooses itself (ids, names, references).
struct AnswerFact {
  std::string_view name;  ///< as in JSON: "reason", "session_present", "receive_maximum"
  std::string value;

  bool operator==(const AnswerFact&) const = default;
};

/// Of a packet that a server sends. What is absent has the value that its absence means.
[[nodiscard]] std::vector<AnswerFact> answer_facts(const mqtt::PacketView& packet, mqtt::Version version);

}  // namespace mq::spy
