// A format, a newline, and a payload that is also topic and property. Whatever compiles writes something that
// ends, and what -F %j says is one JSON text.
#include <cstdlib>

#include <mqtt/util/utf8.hpp>

#include "common/json_text.hpp"
#include "messages/format_string.hpp"

using namespace mq;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = mqtt::as_text({data, size});
  const std::size_t split = text.find('\n');
  if (split == text.npos || size > 2000) return 0;
  auto format = FormatString::compile(text.substr(0, split));
  if (!format) return format.error().empty() ? std::abort(), 0 : 0;

  const std::string_view payload = text.substr(split + 1);
  const bool is_text = mqtt::is_mqtt_utf8(mqtt::as_bytes(payload));
  mqtt::Properties properties;
  properties.add(mqtt::PropertyId::correlation_data, payload);
  properties.add_user_property(is_text ? payload : "key", is_text ? payload : "value");
  const mqtt::PublishView message{.qos = mqtt::QoS::at_least_once,
                                  .topic = is_text ? payload : "topic",
                                  .packet_id = 1,
                                  .properties = properties,
                                  .payload = mqtt::as_bytes(payload)};
  std::string out;
  format->append(out, message, WallTime{std::chrono::seconds{size}}, PlainEscape::for_terminal);
  out.clear();
  format->set_pretty();
  format->append(out, message, WallTime{});
  if (text.substr(0, split) == "%j" || text.substr(0, split) == "%J")
    if (!is_json_text(out)) std::abort();
  return 0;
}
