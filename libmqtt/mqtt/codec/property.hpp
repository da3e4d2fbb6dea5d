#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/bytes.hpp>

namespace mqtt {

/// Property identifiers (MQTT 5.0, 2.2.2.2).
enum class PropertyId : std::uint8_t {
  payload_format_indicator = 1,
  message_expiry_interval = 2,
  content_type = 3,
  response_topic = 8,
  correlation_data = 9,
  subscription_identifier = 11,
  session_expiry_interval = 17,
  assigned_client_identifier = 18,
  server_keep_alive = 19,
  authentication_method = 21,
  authentication_data = 22,
  request_problem_information = 23,
  will_delay_interval = 24,
  request_response_information = 25,
  response_information = 26,
  server_reference = 28,
  reason_string = 31,
  receive_maximum = 33,
  topic_alias_maximum = 34,
  topic_alias = 35,
  maximum_qos = 36,
  retain_available = 37,
  user_property = 38,
  maximum_packet_size = 39,
  wildcard_subscription_available = 40,
  subscription_identifier_available = 41,
  shared_subscription_available = 42,
};

enum class PropertyType : std::uint8_t {
  byte,
  two_byte_integer,
  four_byte_integer,
  variable_byte_integer,
  utf8_string,
  binary_data,
  utf8_string_pair
};

/// Where a set of properties stands: a packet, or the Will Properties inside CONNECT.
enum class PropertyPlace : std::uint8_t {
  will = 0,
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  disconnect = 14,
  auth
};

[[nodiscard]] constexpr PropertyPlace place_of(PacketType type) { return static_cast<PropertyPlace>(type); }

/// One row of Table 2-4: everything the specification says of a property but its meaning.
struct PropertyInfo {
  PropertyId id;
  std::string_view name;  ///< as the specification writes it: "Message Expiry Interval"
  std::string_view key;   ///< snake_case, as in JSON: "message_expiry_interval"
  PropertyType type;
  std::uint16_t places;   ///< bit n: allowed at PropertyPlace n
  bool repeats;           ///< User Property; Subscription Identifier in a server's PUBLISH
  std::uint32_t min = 0;  ///< smallest valid number
  std::uint32_t max = 0xFFFFFFFF;

  [[nodiscard]] constexpr bool allowed_at(PropertyPlace place) const {
    return (places >> static_cast<unsigned>(place) & 1) != 0;
  }
};

/// All 27, in the order of their identifiers.
[[nodiscard]] std::span<const PropertyInfo> all_properties();
/// Nothing for an identifier that the specification does not define.
[[nodiscard]] const PropertyInfo* find_property(std::uint32_t id);
/// By name in any usual spelling: "message-expiry-interval", "message_expiry_interval".
[[nodiscard]] const PropertyInfo* find_property(std::string_view name);
[[nodiscard]] const PropertyInfo& property_info(PropertyId id);

/// One property as it stands in a packet. `number` is set for the integer types; `text` for strings,
/// binary data and the value of a pair; `key` for a pair only.
struct PropertyView {
  PropertyId id;
  std::uint32_t number = 0;
  std::string_view key;
  std::string_view text;
};

/// Encoded properties that were validated, without their length; decoded while one iterates.
class PropertiesView {
 public:
  /// Decodes a property at a time; nothing can go wrong, since they were validated.
  class Iterator {
   public:
    using value_type = PropertyView;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(Bytes rest) : rest_{rest} { read(); }
    const PropertyView& operator*() const { return current_; }
    const PropertyView* operator->() const { return &current_; }
    Iterator& operator++() {
      read();
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      read();
      return old;
    }
    /// Iterators of one view are told apart by what is left behind them.
    bool operator==(const Iterator& other) const {
      return at_end_ == other.at_end_ && (at_end_ || rest_.size() == other.rest_.size());
    }

   private:
    void read();

    Bytes rest_;
    PropertyView current_{};
    bool at_end_ = true;
  };

  PropertiesView() = default;
  /// `encoded` must have passed validate_properties() or come from Properties.
  explicit PropertiesView(Bytes encoded) : encoded_{encoded} {}

  [[nodiscard]] Iterator begin() const { return Iterator{encoded_}; }
  [[nodiscard]] Iterator end() const { return {}; }
  [[nodiscard]] bool empty() const { return encoded_.empty(); }
  [[nodiscard]] Bytes encoded() const { return encoded_; }

  /// The first property with this id.
  [[nodiscard]] std::optional<PropertyView> find(PropertyId id) const;
  [[nodiscard]] std::optional<std::uint32_t> number(PropertyId id) const;
  [[nodiscard]] std::uint32_t number_or(PropertyId id, std::uint32_t otherwise) const;
  [[nodiscard]] std::optional<std::string_view> text(PropertyId id) const;

 private:
  Bytes encoded_;
};

/// Properties that we build or keep: the same encoded form, owned. Adding does not check where a
/// property may stand or how often; validate_properties() does (decode.hpp).
class Properties {
 public:
  Properties() = default;
  explicit Properties(PropertiesView view) : encoded_{to_string(view.encoded())} {}

  Properties& add(PropertyId id, std::uint32_t number);
  /// A string or binary property; at most 65,535 bytes, what is longer is not added (returns false).
  bool add(PropertyId id, std::string_view text);
  bool add_user_property(std::string_view key, std::string_view value);
  /// Appends a property of any type.
  bool add(const PropertyView& property);
  /// Removes all properties with this id.
  void remove(PropertyId id);
  /// Replaces, or adds.
  void set(PropertyId id, std::uint32_t number) {
    remove(id);
    add(id, number);
  }

  [[nodiscard]] PropertiesView view() const { return PropertiesView{as_bytes(encoded_)}; }
  operator PropertiesView() const { return view(); }  // NOLINT: a view of an owner, as string to string_view
  [[nodiscard]] bool empty() const { return encoded_.empty(); }

 private:
  std::string encoded_;
};

/// Bytes of `value` as a Variable Byte Integer: 1 to 4.
[[nodiscard]] constexpr std::size_t varint_size(std::uint32_t value) {
  return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

}  // namespace mqtt
