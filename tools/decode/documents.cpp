// MessagePack, BSON and UBJSON, by nlohmann/json's readers.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <mqtt/util/utf8.hpp>

#include "common/json_writer.hpp"
#include "decode/formats.hpp"

namespace mq {
namespace {

using Json = nlohmann::json;
using Format = Json::input_format_t;

/// Writes what the reader finds; false ends the reading.
class Events final : public nlohmann::json_sax<Json> {
 public:
  explicit Events(std::string& out) : writer_{out} {}

  [[nodiscard]] std::string& fault() { return fault_; }

  bool null() override { return writer_.null(), true; }
  bool boolean(bool value) override { return writer_.boolean(value), true; }
  bool number_integer(number_integer_t value) override { return writer_.number(value), true; }
  bool number_unsigned(number_unsigned_t value) override { return writer_.number(value), true; }
  bool number_float(number_float_t value, const string_t&) override {
    return write_double(writer_, value), true;
  }
  bool string(string_t& value) override { return writer_.text_or_base64(mqtt::as_bytes(value)), true; }

  bool binary(binary_t& value) override {
    writer_.begin_object();
    writer_.key("base64");
    writer_.base64({value.data(), value.size()});
    if (value.has_subtype()) writer_.field("subtype", value.subtype());
    writer_.end_object();
    return true;
  }

  bool start_object(std::size_t) override { return enter() && (writer_.begin_object(), true); }
  bool end_object() override { return --depth_, writer_.end_object(), true; }
  bool start_array(std::size_t) override { return enter() && (writer_.begin_array(), true); }
  bool end_array() override { return --depth_, writer_.end_array(), true; }
  bool key(string_t& value) override { return write_key(writer_, value), true; }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    fault_ = fmt::format("is broken at byte {}", position);
    return false;
  }

 private:
  /// The reader calls itself for each level.
  bool enter() {
    if (++depth_ <= decoded_depth_max) return true;
    fault_ = fmt::format("is nested deeper than {} levels", decoded_depth_max);
    return false;
  }

  JsonWriter writer_;
  unsigned depth_ = 0;
  std::string fault_;
};

std::expected<void, std::string> decode(Format format, mqtt::Bytes payload, std::string& out) {
  Events events{out};
  if (Json::sax_parse(payload.begin(), payload.end(), &events, format)) return {};
  // The reader does not name every fault.
  return std::unexpected(events.fault().empty() ? std::string{"is broken"} : std::move(events.fault()));
}

}  // namespace

void write_key(JsonWriter& json, std::string_view key) {
  const auto readable = Json(key).dump(-1, ' ', false, Json::error_handler_t::replace);
  json.key(std::string_view{readable}.substr(1, readable.size() - 2));
}

std::expected<void, std::string> decode_msgpack(mqtt::Bytes payload, std::string& json) {
  return decode(Format::msgpack, payload, json);
}
std::expected<void, std::string> decode_bson(mqtt::Bytes payload, std::string& json) {
  return decode(Format::bson, payload, json);
}
std::expected<void, std::string> decode_ubjson(mqtt::Bytes payload, std::string& json) {
  return decode(Format::ubjson, payload, json);
}

}  // namespace mq
