#pragma once
#include <array>
#include <expected>
#include <span>
#include <string>
#include <string_view>

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

/// How many values "-D PACKET NAME ..." takes: three, and four if NAME is the user property.
[[nodiscard]] std::size_t property_values_wanted(std::span<const std::string> values);

/// Adds one "PACKET NAME VALUE" or "PACKET user-property KEY VALUE". Binary values are text,
/// "base64:..." or "@FILE". The error is a clause for a person; nothing was added then. `sent` are the
/// places that the tool has.
[[nodiscard]] std::expected<void, std::string> add_property(PropertySet& set,
                                                            std::span<const std::string> values,
                                                            std::span<const mqtt::PropertyPlace> sent);

}  // namespace mq
