#pragma once
#include <span>
#include <string>
#include <vector>

#include <mqtt/codec/clause.hpp>
#include <mqtt/inspect/exchange.hpp>
#include <mqtt/inspect/flow.hpp>

// What is wrong with a conversation, by clause, side and byte.

namespace mqtt {

class Judge;

/// Error: certain. Warning: probable, or somebody in between cannot know. Info: a hint.
enum class Severity : std::uint8_t { error, warning, info };

/// What one clause of the specification, or good sense, asks for.
struct Rule {
  Clause clause;  ///< empty for a version that does not have it
  Severity severity = Severity::error;
  std::string_view text;   ///< what is wrong where it is broken
  std::uint32_t when = 0;  ///< bit n: for packets of type n; bit 0: when the connection ends
  /// Looks at a packet, and at what was known before it. Null: decode() holds packets to this rule.
  void (*check)(Judge&) = nullptr;
  /// For the rules about what makes a packet larger than its receiver takes.
  std::optional<PropertyId> property{};
  /// What else has to be known for it to say something: the session as an earlier connection left it, or
  /// where a PUBLISH comes from.
  enum class Needs : std::uint8_t { nothing, past, origins };
  Needs needs = Needs::nothing;
};

/// All rules, by subject.
[[nodiscard]] std::span<const std::span<const Rule>> all_rules();

/// A clause that no rule holds: `v5` and `v3_1_1` as in Clause, and why.
struct Uncovered {
  std::string_view reason;
  std::string_view v5;  ///< numbers, "3.1.2-4 3.1.2-5"
  std::string_view v3_1_1;
};
[[nodiscard]] std::span<const Uncovered> uncovered_clauses();

/// A rule that a packet, or the end of the connection, has broken.
struct Finding {
  const Rule* rule = nullptr;  ///< null for a clause of decode() that no rule has
  std::string_view clause;     ///< of `version`: the same number is another rule in another version
  Version version = Version::v5;
  Severity severity = Severity::error;
  Sender side = Sender::client;  ///< at fault
  Step packet;                   ///< number 0: the connection's end
  std::uint32_t offset = 0;      ///< bytes in the packet that show it
  std::uint32_t size = 0;
  std::uint64_t other = 0;  ///< number of the other packet involved, or 0
  std::string text;
};

/// Appends what is wrong with `packet`, given what was known before it (FlowWatcher::before_packet). Rules
/// that need what was not seen are silent.
void lint(const FlowPacket& packet, const FlowState& state, std::vector<Finding>& out,
          const Origins* origins = nullptr);
/// What only the end shows: what was never answered, and who did not close.
void lint(const FlowClose& close, const FlowState& state, std::vector<Finding>& out);

}  // namespace mqtt
