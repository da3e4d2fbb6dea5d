#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mqtt/codec/types.hpp>

namespace mqtt {

enum class AliasPolicy : std::uint8_t {
  none,  ///< no Topic Alias unless the caller sets one
  /// Each new topic of up to a kibibyte gets one as long as the peer's Topic Alias Maximum allows, first
  /// come.
  when_room,
};

/// Topic Aliases that the peer set on this connection (3.3.2.3.4).
class IncomingAliases {
 public:
  /// `alias` is 1 to what we announced.
  void set(std::uint16_t alias, std::string_view topic);
  /// Empty if it was never set. Valid until set().
  [[nodiscard]] std::string_view find(std::uint16_t alias) const;
  /// Bytes of the topics.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::vector<std::string> topics_;  // grows with the aliases in use
  std::size_t bytes_ = 0;
};

/// Topic Aliases that we set on this connection.
class OutgoingAliases {
 public:
  /// The Topic Alias that a topic is to be sent with.
  struct Choice {
    std::uint16_t alias = 0;  ///< 0: none
    bool known = false;       ///< the peer knows it, so the topic may be left out
  };

  /// For a topic to be sent with AliasPolicy::when_room, to a peer that takes `maximum` aliases; changes
  /// nothing.
  [[nodiscard]] Choice choose(std::string_view topic, std::uint16_t maximum) const;
  /// The peer is told.
  void set(std::uint16_t alias, std::string_view topic);
  [[nodiscard]] std::string_view find(std::uint16_t alias) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::vector<std::string> topics_;  // index alias - 1; empty: free
  std::unordered_map<std::string, std::uint16_t, Hash, std::equal_to<>> by_topic_;
};

}  // namespace mqtt
