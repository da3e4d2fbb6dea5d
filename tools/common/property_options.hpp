#pragma once
#include <array>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/property.hpp>

namespace mq {

/// The properties of every packet that a tool sends, as -D collects them.
class PropertySet {
 public:
  [[nodiscard]] mqtt::Properties& at(mqtt::PropertyPlace place) {
    return places_[static_cast<std::size_t>(place)];
  }
  [[nodiscard]] const mqtt::Properties& at(mqtt::PropertyPlace place) const {
    return places_[static_cast<std::size_t>(place)];
  }
  [[nodiscard]] bool empty() const;

 private:
  std::array<mqtt::Properties, 16> places_;
};

inline constexpr std::string_view base64_prefix = "base64:";

/// The bytes that are meant by text, "base64:TEXT" or "@FILE". The error is a clause for a person.
[[nodiscard]] std::expected<std::string, std::string> binary_value(std::string_view value);

/// How many values "-D PACKET NAME ..." takes: three, and four if NAME is the user property.
[[nodiscard]] std::size_t property_values_wanted(std::span<const std::string> values);

/// "publish content-type" and so on, for who completes them: what goes with these packets.
[[nodiscard]] std::vector<std::string> property_words(std::span<const mqtt::PropertyPlace> sent);

/// Adds one "PACKET NAME VALUE" or "PACKET user-property KEY VALUE". Binary values are text,
/// "base64:..." or "@FILE". The error is a clause for a person; nothing was added then. `sent` are the
/// places that the tool has.
[[nodiscard]] std::expected<void, std::string> add_property(PropertySet& set,
                                                            std::span<const std::string> values,
                                                            std::span<const mqtt::PropertyPlace> sent);

}  // namespace mq
