#include <mqtt/session/connect_packet.hpp>

#include <fmt/format.h>

#include <mqtt/codec/topic.hpp>
#include <mqtt/session/property_check.hpp>
#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt {
namespace {

Result<void> check_text(std::string_view text, std::string_view what) {
  if (text.size() > field_size_max)
    return fail(SessionFault::field_too_long,
                fmt::format("{} of {} bytes is longer than 65,535", what, with_commas(text.size())));
  if (is_mqtt_utf8(as_bytes(text))) return {};
  return fail(SessionFault::bad_option, fmt::format("{} is not UTF-8, or holds U+0000", what));
}

Result<void> check_client_id(const ConnectOptions& options) {
  if (options.client_id.empty() && options.version == Version::v3_1)
    return fail(SessionFault::bad_option, "MQTT 3.1 needs a client id");
  if (options.client_id.empty() && options.version == Version::v3_1_1 && !options.clean_start)
    return fail(SessionFault::bad_option, "a session can only be kept under a client id [MQTT-3.1.3-7]");
  return check_text(options.client_id, "client id");
}

Result<void> check_will(const Will& will, Version version) {
  if (const auto fault = find_topic_name_error(will.topic))
    return fail(SessionFault::invalid_topic,
                fmt::format("\"{}\" cannot be a Will Topic: {} [{}]", escape_for_terminal(will.topic),
                            fault->what, fault->clause.id(version)));
  if (will.payload.size() > field_size_max)
    return fail(SessionFault::field_too_long, fmt::format("Will Payload of {} bytes is longer than 65,535",
                                                          with_commas(will.payload.size())));
  return check_properties(will.properties, PropertyPlace::will, Sender::client, version);
}

Result<void> check_credentials(const ConnectOptions& options) {
  if (options.password && !options.user_name && options.version != Version::v5)
    return fail(SessionFault::bad_option,
                fmt::format("MQTT {} takes a password only with a user name [MQTT-3.1.2-22]",
                            to_string(options.version)));
  if (options.password && options.password->size() > field_size_max)
    return fail(SessionFault::field_too_long, fmt::format("password of {} bytes is longer than 65,535",
                                                          with_commas(options.password->size())));
  return options.user_name ? check_text(*options.user_name, "user name") : Result<void>{};
}

}  // namespace

Result<void> check_connect(const ConnectOptions& options) {
  if (auto ok = check_client_id(options); !ok) return ok;
  if (auto ok = check_credentials(options); !ok) return ok;
  if (auto ok = options.will ? check_will(*options.will, options.version) : Result<void>{}; !ok) return ok;
  const PropertiesView properties = options.properties;
  if (auto ok = check_properties(properties, PropertyPlace::connect, Sender::client, options.version); !ok)
    return ok;
  if (properties.find(PropertyId::authentication_data) && !properties.find(PropertyId::authentication_method))
    return fail(SessionFault::bad_property, "Authentication Data needs an Authentication Method");
  return {};
}

ConnectView to_view(const ConnectOptions& options) {
  ConnectView connect;
  connect.version = options.version;
  connect.clean_start = options.clean_start;
  connect.bridge = options.bridge;
  connect.keep_alive = options.keep_alive;
  connect.client_id = options.client_id;
  connect.properties = options.properties;
  if (const auto& will = options.will)
    connect.will = WillView{will->topic, as_bytes(will->payload), will->qos, will->retain, will->properties};
  if (options.user_name) connect.user_name = *options.user_name;
  if (options.password) connect.password = as_bytes(*options.password);
  return connect;
}

}  // namespace mqtt
