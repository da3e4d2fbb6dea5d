#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <mqtt/inspect/flow.hpp>

// What goes through a server from one of its connections to another, as far as it goes by here.

namespace mqtt {

/// A message that a client has published, or its Will.
struct Publication {
  std::uint64_t key = 0;         ///< of server, topic and payload; 0: none
  std::uint64_t connection = 0;  ///< of its publisher
  std::uint64_t order = 0;       ///< of all messages here
  TimePoint time{};
  QoS qos = QoS::at_most_once;
  bool retain = false;
  bool will = false;
  bool empty = false;  ///< its payload
  bool properties_known = true;
  std::string properties{};  ///< as they were encoded
};

/// What is known of where a PUBLISH comes from.
struct Origins {
  static constexpr std::size_t most = 4;

  std::uint64_t key = 0;                            ///< as in Publication, of the PUBLISH itself
  std::uint64_t connection = 0;                     ///< that it is delivered to
  std::array<const Publication*, most> messages{};  ///< with its topic and payload, as many as `count`
  std::size_t count = 0;
  /// A Will that its client has taken back with DISCONNECT is the only such message.
  bool withdrawn_will = false;
  /// A later message with the same publisher, topic and QoS was delivered before it.
  bool overtaken = false;
  /// The topic's last retained message, of any payload; null if it is not known.
  const Publication* retained = nullptr;
  /// Requests asked for answers at this topic, with Correlation Data.
  bool is_response = false;
};

/// Remembers what was published, in bounded memory: of messages that are too many the oldest are forgotten,
/// and what comes from them is not judged. Nothing is remembered of a server before a client has subscribed
/// there, but what is retained.
class Exchange {
 public:
  /// Where the message comes from; null if nothing is known. To be asked before the packet is taken in; lives
  /// until then.
  [[nodiscard]] const Origins* origins(std::uint64_t connection, std::string_view server,
                                       const FlowPacket& packet);
  /// The packet has gone by.
  void take_in(std::uint64_t connection, std::string_view server, const FlowPacket& packet);
  void ended(std::uint64_t connection, const FlowState& state, TimePoint now);

 private:
  struct Will {
    std::uint64_t topic = 0;
    std::uint64_t key = 0;
    QoS qos = QoS::at_most_once;
    bool retain = false;
    std::string properties{};
  };

  void find_messages(std::uint64_t key);
  void follow_order(std::uint64_t connection, std::uint64_t topic, const FlowPacket& packet);
  void remember(Publication publication);
  void take_publish(std::uint64_t connection, std::string_view server, const FlowPacket& packet);
  void take_connect(std::uint64_t connection, std::string_view server, const ConnectView& connect);

  std::vector<Publication> table_;  // buckets of Origins::most each; empty before there is a subscription
  std::unordered_map<std::uint64_t, Publication> retained_;     // by topic
  std::unordered_map<std::uint64_t, Will> wills_;               // by connection
  std::unordered_set<std::uint64_t> withdrawn_;                 // keys of Wills
  std::unordered_map<std::uint64_t, bool> response_topics_;     // all of whose requests had Correlation Data
  std::unordered_map<std::uint64_t, std::uint64_t> delivered_;  // last order, by connection, topic, QoS
  std::uint64_t order_ = 0;
  Origins found_;
};

}  // namespace mqtt
