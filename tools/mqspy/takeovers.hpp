#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <mqtt/inspect/flow.hpp>

#include "mqspy/record.hpp"

namespace mq::spy {

/// Which connection took the client id of another one at the same server: what no single connection shows.
class Takeovers {
 public:
  /// A CONNECT with this client id has gone by.
  void connecting(const Link& link, std::string_view client_id, mqtt::TimePoint now);
  /// It was refused: whoever had the id still has it.
  void refused(const Link& link);
  /// Why `link` has ended, if another one took its client id; it is forgotten then.
  [[nodiscard]] std::optional<std::string> ended(const Link& link, const mqtt::FlowClose& close,
                                                 const mqtt::FlowState& state);

 private:
  struct Holder {
    std::string client_id;
    std::string address;
    /// Who has come with the same id since.
    std::uint64_t successor = 0;
    std::string successor_address{};
  };
  struct History {
    std::uint64_t holder = 0;    // link that has the id, 0: none
    std::uint64_t previous = 0;  // that had it before
    unsigned times = 0;          // in a row, each soon after the one before
    mqtt::TimePoint last{};
  };

  void take(std::uint64_t from, const Link& by, History& history, mqtt::TimePoint now);

  std::unordered_map<std::uint64_t, Holder> links_;  // that are open
  std::unordered_map<std::string, History> ids_;     // by server and client id
};

}  // namespace mq::spy
