#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <mqtt/codec/property.hpp>
#include <mqtt/codec/reason.hpp>
#include <mqtt/codec/types.hpp>
#include <mqtt/util/bytes.hpp>

// The packets as plain structs of views, the same for decoding and encoding. A decoded view points
// into the receive buffer and lives until that buffer is read into again. Fields that a version does
// not have are at their defaults after decoding and are not written when encoding.

namespace mqtt {

/// The will of a CONNECT: what the server publishes if the connection ends without a DISCONNECT.
struct WillView {
  std::string_view topic;
  Bytes payload{};
  QoS qos = QoS::at_most_once;
  bool retain = false;
  PropertiesView properties{};
};

/// CONNECT.
struct ConnectView {
  Version version = Version::v5;
  bool clean_start = true;  ///< Clean Session before 5.0
  /// Before 5.0: the client says that it is a bridge, by the highest bit of the protocol level. This is no
  /// part of the specification; servers that know it do for it what No Local and Retain As Published do
  /// since. Only encoded: a decoder takes such a level for one that it does not know.
  bool bridge = false;
  std::uint16_t keep_alive = 0;  ///< seconds; 0 turns it off
  std::string_view client_id;
  PropertiesView properties{};
  std::optional<WillView> will;
  std::optional<std::string_view> user_name;
  std::optional<Bytes> password;
};

/// CONNACK.
struct ConnackView {
  bool session_present = false;
  /// For 3.1 and 3.1.1 the code of the same meaning; `return_code` then holds the byte itself.
  ReasonCode reason = ReasonCode::success;
  ConnectReturnCode return_code = ConnectReturnCode::accepted;
  PropertiesView properties{};
};

/// PUBLISH. QoS 0 has no packet identifier: it is 0 then.
struct PublishView {
  bool dup = false;
  QoS qos = QoS::at_most_once;
  bool retain = false;
  std::string_view topic;  ///< empty only together with a Topic Alias
  PacketId packet_id = 0;
  PropertiesView properties{};
  Bytes payload{};
};

/// PUBACK, PUBREC, PUBREL and PUBCOMP have one shape.
struct AckView {
  PacketId packet_id = 0;
  ReasonCode reason = ReasonCode::success;
  PropertiesView properties{};
};
struct PubackView : AckView {};
struct PubrecView : AckView {};
struct PubrelView : AckView {};
struct PubcompView : AckView {};

/// What a SUBSCRIBE asks for beside a filter. Before 5.0 there is the QoS alone.
struct SubscriptionOptions {
  QoS qos = QoS::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  RetainHandling retain_handling = RetainHandling::send;

  bool operator==(const SubscriptionOptions&) const = default;
};

/// One filter of a SUBSCRIBE or UNSUBSCRIBE, which has no options.
struct SubscriptionView {
  std::string_view filter;
  SubscriptionOptions options;
};

/// Encoded, validated list of topic filters, with an options byte each in SUBSCRIBE.
class SubscriptionsView {
 public:
  /// Decodes a filter at a time; nothing can go wrong, since the list was validated.
  class Iterator {
   public:
    using value_type = SubscriptionView;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Iterator(Bytes rest, bool with_options) : rest_{rest}, with_options_{with_options} { read(); }
    const SubscriptionView& operator*() const { return current_; }
    const SubscriptionView* operator->() const { return &current_; }
    Iterator& operator++() {
      read();
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      read();
      return old;
    }
    bool operator==(const Iterator& other) const {
      return at_end_ == other.at_end_ && (at_end_ || rest_.size() == other.rest_.size());
    }

   private:
    void read();

    Bytes rest_;
    SubscriptionView current_{};
    bool with_options_ = false;
    bool at_end_ = true;
  };

  SubscriptionsView() = default;
  SubscriptionsView(Bytes encoded, bool with_options) : encoded_{encoded}, with_options_{with_options} {}

  [[nodiscard]] Iterator begin() const { return Iterator{encoded_, with_options_}; }
  [[nodiscard]] Iterator end() const { return {}; }
  [[nodiscard]] Bytes encoded() const { return encoded_; }
  [[nodiscard]] std::size_t count() const;

 private:
  Bytes encoded_;
  bool with_options_ = false;
};

/// Builds the list for SUBSCRIBE.
class SubscriptionList {
 public:
  void add(std::string_view filter, SubscriptionOptions options);
  [[nodiscard]] SubscriptionsView view() const { return {as_bytes(encoded_), true}; }

 private:
  std::string encoded_;
};

/// Builds the list for UNSUBSCRIBE.
class FilterList {
 public:
  void add(std::string_view filter);
  [[nodiscard]] SubscriptionsView view() const { return {as_bytes(encoded_), false}; }

 private:
  std::string encoded_;
};

/// SUBSCRIBE.
struct SubscribeView {
  PacketId packet_id = 0;
  PropertiesView properties{};
  SubscriptionsView subscriptions{};
};

/// SUBACK.
struct SubackView {
  PacketId packet_id = 0;
  PropertiesView properties{};
  Bytes reasons{};  ///< one ReasonCode byte per filter, in the order of SUBSCRIBE
};

/// UNSUBSCRIBE; its filters have no options.
struct UnsubscribeView {
  PacketId packet_id = 0;
  PropertiesView properties{};
  SubscriptionsView filters{};
};

/// UNSUBACK.
struct UnsubackView {
  PacketId packet_id = 0;
  PropertiesView properties{};
  Bytes reasons{};  ///< empty before 5.0
};

struct PingreqView {};
struct PingrespView {};

/// DISCONNECT, which before 5.0 only clients send, with nothing in it.
struct DisconnectView {
  ReasonCode reason = ReasonCode::normal_disconnection;
  PropertiesView properties{};
};

/// AUTH (5.0).
struct AuthView {
  ReasonCode reason = ReasonCode::success;
  PropertiesView properties{};
};

/// In the order of PacketType, so that index() + 1 is the type.
using PacketView = std::variant<ConnectView, ConnackView, PublishView, PubackView, PubrecView, PubrelView,
                                PubcompView, SubscribeView, SubackView, UnsubscribeView, UnsubackView,
                                PingreqView, PingrespView, DisconnectView, AuthView>;

[[nodiscard]] inline PacketType type_of(const PacketView& packet) {
  return static_cast<PacketType>(packet.index() + 1);
}

}  // namespace mqtt
