#include <mqtt/session/property_check.hpp>

#include <fmt/format.h>

#include <mqtt/codec/decode.hpp>

namespace mqtt {

Result<void> check_properties(PropertiesView properties, PropertyPlace place, Sender sender,
                              Version version) {
  if (properties.empty()) return {};
  if (version != Version::v5)
    return fail(SessionFault::bad_property,
                fmt::format("MQTT {} has no properties; they need MQTT 5.0", to_string(version)));
  const auto valid = validate_properties(properties.encoded(), place, sender);
  if (valid) return {};
  return fail(SessionFault::bad_property, fmt::format("{} [{}]", valid.error().what, valid.error().clause));
}

}  // namespace mqtt
