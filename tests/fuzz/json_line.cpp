// Any bytes are a message, an event or a fault inside the line; what was read as a message must be the same
// once the writer has written it and it was read again.
#include <cstdlib>
#include <string>

#include <mqtt/codec/topic.hpp>

#include "common/json_reader.hpp"
#include "common/message_format.hpp"

using namespace mq;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line = mqtt::as_text({data, size});
  MessageLineReader reader;
  const auto message = reader.read(line);
  if (!message) {
    require(!message.error().what.empty() && message.error().offset <= size);
    return 0;
  }
  if (!*message || !(*message)->topic || mqtt::find_topic_name_error(*(*message)->topic)) return 0;
  const MessageLine& was = **message;
  const mqtt::PublishView view{.qos = was.qos.value_or(mqtt::QoS::at_most_once),
                               .retain = was.retain.value_or(false),
                               .topic = *was.topic,
                               .packet_id = 1,
                               .properties = was.properties,
                               .payload = was.payload};
  for (const JsonPayload mode : {JsonPayload::text, JsonPayload::parse}) {
    std::string written;
    MessageLineWriter{mode}.write(written, view, WallTime{});
    written.pop_back();
    MessageLineReader second;
    const auto again = second.read(written);
    require(again && *again && (*again)->topic == view.topic && (*again)->qos == view.qos);
    require((*again)->retain == view.retain);
    require(mqtt::equal((*again)->properties.encoded(), view.properties.encoded()));
    std::string payload = mqtt::to_string(view.payload);
    if (mode == JsonPayload::parse && written.find("\"encoding\":\"json\"") != std::string::npos)
      for (char& c : payload)
        if (c == '\n' || c == '\r') c = ' ';
    require(mqtt::equal((*again)->payload, mqtt::as_bytes(payload)));
  }
  return 0;
}
