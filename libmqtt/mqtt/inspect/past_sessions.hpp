#pragma once
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <mqtt/inspect/flow_state.hpp>

namespace mqtt {

/// What connections have left of the sessions of their client ids, for the connections that come after them.
/// Its memory is bounded: what was not asked for the longest is forgotten.
class PastSessions {
 public:
  /// What was known of a client's session when it connected.
  struct Arrival {
    std::optional<PastSession> past{};  ///< nothing if it was never seen, or somebody has it still
    std::uint64_t holder = 0;           ///< another connection with the same client id, that is open; 0: none
  };

  /// A client of `server` has sent CONNECT on `connection`, or an id was assigned to it.
  [[nodiscard]] Arrival arrived(std::uint64_t connection, std::string_view server, const FlowState& state);
  /// `connection`, of which `state` is the last, has ended.
  void ended(std::uint64_t connection, std::string_view server, const FlowState& state, TimePoint now);

 private:
  struct Entry {
    std::string key;           // server and client id
    std::uint64_t holder = 0;  // the connection that has it, 0: none
    std::optional<PastSession> past{};
    std::size_t weight = 1;  // what it counts of the bound
  };
  using Entries = std::list<Entry>;  // the latest first

  Entry& entry_of(std::string_view server, std::string_view client_id);
  void forget_oldest();

  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
  std::size_t weight_ = 0;
};

}  // namespace mqtt
