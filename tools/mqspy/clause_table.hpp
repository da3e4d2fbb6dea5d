#pragma once
#include <string_view>
#include <vector>

namespace mq::spy {

/// A numbered clause of a version: who keeps it, and what it asks for in our own words.
struct ClauseText {
  std::string_view version;  ///< "5.0", "3.1.1"
  std::string_view id;       ///< "MQTT-3.3.1-2"
  std::string_view who;      ///< "c", "s" or "b" for both
  std::string_view text;
};

/// All of them, in the order of the specifications.
[[nodiscard]] const std::vector<ClauseText>& clause_table();

}  // namespace mq::spy
