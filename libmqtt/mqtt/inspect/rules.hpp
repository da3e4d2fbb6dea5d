#pragma once
#include <fmt/format.h>

#include <vector>

#include <mqtt/codec/clauses.hpp>
#include <mqtt/inspect/lint.hpp>

// For the files that hold rules.

namespace mqtt {

/// What the client's subscriptions say of a delivery.
struct Matches {
  bool any = false;
  bool by_wildcard_at_dollar = false;  ///< only a filter that starts with a wildcard has it
  /// A request that is under way, or has changed a subscription, may have it.
  bool unsettled = false;
  bool shared = false;                       ///< one is shared
  bool plain = false;                        ///< one is not shared
  bool retained_wanted = false;              ///< one asks for stored messages
  bool retained_as_published = false;        ///< one asks for the publisher's RETAIN
  bool without_as_published = false;         ///< one does not
  bool own_wanted = false;                   ///< one takes the client's own messages
  TimePoint first_asked = TimePoint::max();  ///< SUBSCRIBE
  TimePoint last_granted{};                  ///< SUBACK
  QoS granted = QoS::at_most_once;           ///< the highest
  std::size_t without_id = 0;
  std::vector<std::uint32_t> ids;  ///< Subscription Identifiers of the others, each once
};

/// What a rule looks at, and where it says what it found.
class Judge {
 public:
  Judge(const FlowPacket* packet, const FlowClose* close, const FlowState& known, std::vector<Finding>& out,
        const Origins* from_where = nullptr)
      : state{known}, origins{from_where}, packet_{packet}, close_{close}, out_{out} {}

  const FlowState& state;
  const Origins* origins;  ///< of a PUBLISH, if they are known

  void look(const Rule& rule) {
    rule_ = &rule;
    rule.check(*this);
  }

  [[nodiscard]] const Rule& rule() const { return *rule_; }
  [[nodiscard]] const FlowPacket& packet() const { return *packet_; }
  [[nodiscard]] const FlowClose& close() const { return *close_; }
  [[nodiscard]] PacketType type() const { return type_of(*packet_->packet); }
  [[nodiscard]] Sender sender() const { return packet_->sender; }
  [[nodiscard]] bool from(Sender sender) const { return packet_->sender == sender; }
  template <class Packet>
  [[nodiscard]] const Packet* as() const {
    return std::get_if<Packet>(&*packet_->packet);
  }
  [[nodiscard]] bool at_end() const { return packet_ == nullptr; }
  [[nodiscard]] TimePoint now() const { return packet_ ? packet_->step.time : close_->time; }

  [[nodiscard]] const SideState& own() const { return state.side(sender()); }
  [[nodiscard]] const SideState& peer() const { return state.side(other(sender())); }
  /// The session began with this connection, so that nothing of an earlier one can be under way.
  [[nodiscard]] bool fresh_session() const;
  /// Of the server's PUBLISH; null where not all subscriptions are known, or the topic is not.
  [[nodiscard]] const Matches* matches();
  /// The message that a connection before this one has left open with this id, at the sender; or null.
  [[nodiscard]] const OpenMessage* left_open(PacketId id) const;

  /// The sender of the packet broke the rule; `field` shows it, by its name in the dissection (empty: the
  /// packet's first byte), the `nth` of this name counted from 0.
  void report(std::string_view field = {}, std::string detail = {}, std::uint64_t other = 0,
              std::size_t nth = 0);
  /// The same, and these bytes show it.
  void report_bytes(std::uint32_t offset, std::uint32_t size, std::string detail);
  /// `side` broke it, and no byte shows it.
  void report_at_end(Sender side, std::string detail = {}, std::uint64_t other = 0);

 private:
  [[nodiscard]] bool all_subscriptions_seen() const;
  Finding& add(Sender side, std::string detail, std::uint64_t other);

  const Rule* rule_ = nullptr;
  const FlowPacket* packet_;
  const FlowClose* close_;
  std::vector<Finding>& out_;
  bool matched_ = false;  // for a delivery it is asked for by several rules
  std::optional<Matches> matches_;
};

/// The rule by which decode() named a fault.
[[nodiscard]] const Rule* find_decoding_rule(std::string_view clause, Version version);

namespace rules {

inline constexpr Sender client = Sender::client, server = Sender::server;

constexpr std::uint32_t on(auto... types) { return ((1u << static_cast<unsigned>(types)) | ... | 0u); }
inline constexpr std::uint32_t at_close = 1;
inline constexpr std::uint32_t any_packet = 0xFFFE;
/// The id of a version that does not have the rule.
inline constexpr std::string_view none{};

/// How long an answer may take before its absence is held against somebody.
inline constexpr Duration answer_grace = std::chrono::seconds{5};

[[nodiscard]] std::span<const Rule> decoding();
[[nodiscard]] std::span<const Rule> connecting();
[[nodiscard]] std::span<const Rule> publishing();
[[nodiscard]] std::span<const Rule> answering();
[[nodiscard]] std::span<const Rule> subscribing();
[[nodiscard]] std::span<const Rule> ending();
[[nodiscard]] std::span<const Rule> delivering();
[[nodiscard]] std::span<const Rule> announcing();
[[nodiscard]] std::span<const Rule> carrying();
[[nodiscard]] std::span<const Rule> resuming();
[[nodiscard]] std::span<const Rule> forwarding();
[[nodiscard]] std::span<const Rule> hinting();
[[nodiscard]] std::span<const Rule> tolerating();

/// The properties of a packet; empty for one that has none.
[[nodiscard]] PropertiesView properties_of(const PacketView& packet);

}  // namespace rules
}  // namespace mqtt
