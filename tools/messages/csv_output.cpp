#include "messages/csv_output.hpp"

#include <fmt/format.h>

#include <iterator>

#include <mqtt/util/base64.hpp>
#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

#include "messages/value_filter.hpp"

namespace mq {

void CsvOutput::append_text(std::string& out, std::string_view text) const {
  if (escape_ == PlainEscape::exact) return append_csv_field(out, text);
  append_csv_field(out, mqtt::escape_for_terminal(text));
}

void CsvOutput::write(std::string& out, const mqtt::PublishView& message, WallTime received) {
  out += clock_.rfc3339(received);
  out += ',';
  append_text(out, message.topic);
  fmt::format_to(std::back_inserter(out), ",{},{},{},", mqtt::to_number(message.qos), message.retain ? 1 : 0,
                 message.payload.size());
  if (message.payload.empty()) {
    out += "none,";
  } else if (mqtt::is_mqtt_utf8(message.payload)) {
    out += "utf8,";
    append_text(out, mqtt::as_text(message.payload));
  } else {
    out += "base64,";
    mqtt::append_base64(out, message.payload);
  }
  out += '\n';
}

}  // namespace mq
