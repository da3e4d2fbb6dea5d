// Any bytes through every payload decoder: JSON on one line that a reader takes, or a fault.
#include <cstdlib>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/json_text.hpp"
#include "decode/decoding.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& names = mq::decoder_names();
  const mqtt::Bytes payload{data + 1, size - 1};
  std::string json;
  const auto decoded = (*mq::find_decoder(names[data[0] % names.size()]))(payload, json);
  if (!decoded) return decoded.error().empty() ? (std::abort(), 0) : 0;
  if (json.find('\n') != std::string::npos) std::abort();
  if (!mqtt::is_mqtt_utf8(mqtt::as_bytes(json)) || !mq::is_json_text(json)) std::abort();
  return 0;
}
