#include "common/json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include <mqtt/codec/decode.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/json_scanner.hpp"

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PropertyInfo;
using mqtt::PropertyPlace;
using mqtt::PropertyType;

/// Digits, and up to nine of a fraction, in nanoseconds; with an exponent as near as a double comes.
std::optional<std::int64_t> nanoseconds_of(std::string_view number) {
  constexpr std::int64_t per_second = 1'000'000'000;
  constexpr std::int64_t seconds_max = std::numeric_limits<std::int64_t>::max() / per_second - 1;
  const std::size_t point = std::min(number.find('.'), number.size());
  const auto seconds = mqtt::parse_number<std::int64_t>(number.substr(0, point));
  if (number.find_first_of("eE") != std::string_view::npos || !seconds) {
    double value = 0;
    const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), value);
    const bool fits = fault == std::errc{} && value >= 0 && value <= static_cast<double>(seconds_max);
    if (!fits || end != number.data() + number.size()) return std::nullopt;
    return static_cast<std::int64_t>(value * static_cast<double>(per_second));
  }
  if (*seconds < 0 || *seconds > seconds_max) return std::nullopt;
  std::string fraction{number.substr(std::min(point + 1, number.size()))};
  if (fraction.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  fraction.resize(9, '0');
  return *seconds * per_second + mqtt::parse_number<std::int64_t>(fraction).value_or(0);
}

}  // namespace

/// One line's walk; the reader has what outlives it.
class MessageLineParser {
 public:
  MessageLineParser(MessageLineReader& storage, std::string_view line) : storage_{storage}, json_{line} {}

  std::expected<std::optional<MessageLine>, JsonFault> parse() {
    if (!object() || !payload()) return std::unexpected(JsonFault{json_.what(), json_.fault_offset()});
    if (is_event_ && !message_.topic) return std::nullopt;
    message_.properties = storage_.properties_.view();
    return message_;
  }

 private:
  struct Key {
    std::string_view name;
    bool (MessageLineParser::*take)();
  };
  static const Key keys[];

  bool object() {
    if (!json_.take('{')) return false;
    if (!json_.take_if('}')) {
      do
        if (!member()) return false;
      while (json_.take_if(','));
      if (!json_.take('}')) return false;
    }
    return json_.at_end() || json_.fail("something follows the object");
  }

  bool member() {
    const std::size_t start = json_.offset();
    const auto name = json_.string(storage_.key_);
    if (!name || !json_.take(':')) return false;
    const auto* const known = std::ranges::find(keys_begin(), keys_end(), *name, &Key::name);
    if (known == keys_end()) return json_.value().has_value();
    const auto bit = 1u << (known - keys_begin());
    if ((seen_ & bit) != 0) return json_.fail(fmt::format("{} stands there twice", known->name), start);
    seen_ |= bit;
    return (this->*known->take)();
  }

  static const Key* keys_begin();
  static const Key* keys_end();

  bool topic() {
    message_.topic = json_.string(storage_.topic_);
    return message_.topic.has_value();
  }

  bool qos() {
    const std::size_t start = json_.offset();
    const auto raw = json_.value();
    if (!raw) return false;
    const auto number = mqtt::parse_number<std::uint8_t>(raw->text);
    if (!number || *number > 2) return json_.fail("qos is not 0, 1 or 2", start);
    message_.qos = static_cast<mqtt::QoS>(*number);
    return true;
  }

  bool retain() {
    const std::size_t start = json_.offset();
    const auto raw = json_.value();
    if (!raw) return false;
    if (raw->text != "true" && raw->text != "false") return json_.fail("retain is not true or false", start);
    message_.retain = raw->text == "true";
    return true;
  }

  bool ts() {
    const std::size_t start = json_.offset();
    const auto raw = json_.value();
    if (!raw) return false;
    message_.recorded_at_ns = nanoseconds_of(raw->text);
    return message_.recorded_at_ns || json_.fail("ts is not a number of seconds", start);
  }

  /// Only a hint of what belongs to an embedded payload.
  bool len() {
    const auto raw = json_.value();
    if (raw) len_ = mqtt::parse_number<std::uint64_t>(raw->text);
    return raw.has_value();
  }

  bool event() {
    is_event_ = true;
    return json_.value().has_value();
  }

  bool encoding() {
    const std::size_t start = json_.offset();
    const auto name = json_.string(storage_.text_);
    if (!name) return false;
    for (const auto known : {"utf8", "base64", "json", "none"})
      if (*name == known) encoding_ = known;
    if (!encoding_.empty()) return true;
    return json_.fail(fmt::format("a payload of encoding '{}' cannot be turned back into bytes", *name),
                      start);
  }

  bool payload_text() {
    payload_at_ = json_.offset();
    raw_payload_ = json_.value();
    return raw_payload_.has_value();
  }

  // The payload, once it is known how it is encoded.

  bool payload() {
    if (is_event_ && !message_.topic) return true;
    if (!raw_payload_) return json_.fail("there is no payload");
    const std::string_view encoding = encoding_.empty() ? guessed_encoding() : encoding_;
    if (encoding == "none")
      return raw_payload_->text == "null" ||
             json_.fail("the payload of encoding none is not null", payload_at_);
    if (encoding == "json") {
      const bool exact = len_ && *len_ == raw_payload_->with_blanks.size();
      message_.payload = mqtt::as_bytes(exact ? raw_payload_->with_blanks : raw_payload_->text);
      return true;
    }
    if (!raw_payload_->text.starts_with('"'))
      return json_.fail(fmt::format("the payload of encoding {} is not a string", encoding), payload_at_);
    return text_payload(encoding);
  }

  [[nodiscard]] std::string_view guessed_encoding() const {
    if (raw_payload_->text == "null") return "none";
    return raw_payload_->text.starts_with('"') ? "utf8" : "json";
  }

  bool text_payload(std::string_view encoding) {
    JsonScanner value{raw_payload_->text};
    auto text = value.string(storage_.payload_);
    if (!text) return json_.fail(value.what(), payload_at_);
    if (encoding == "base64") {
      auto bytes = mqtt::from_base64(*text);
      if (!bytes) return json_.fail("the payload is not base64", payload_at_);
      storage_.payload_ = std::move(*bytes);
      text = storage_.payload_;
    }
    message_.payload = mqtt::as_bytes(*text);
    return true;
  }

  // Properties.

  bool properties() {
    const std::size_t start = json_.offset();
    if (!json_.take('{')) return false;
    if (json_.take_if('}')) return true;
    do
      if (!property()) return false;
    while (json_.take_if(','));
    if (!json_.take('}')) return false;
    const auto encoded = storage_.properties_.view().encoded();
    const auto valid = mqtt::validate_properties(encoded, PropertyPlace::publish, mqtt::Sender::client);
    return valid || json_.fail(std::string{valid.error().what}, start);
  }

  bool property() {
    const std::size_t start = json_.offset();
    const auto name = json_.string(storage_.key_);
    if (!name || !json_.take(':')) return false;
    if (*name == "subscription_identifiers") return json_.value().has_value();
    if (*name == "user_properties") return user_properties();
    const PropertyInfo* info = mqtt::find_property(*name);
    const bool usable = info && info->allowed_at(PropertyPlace::publish) && !info->repeats &&
                        info->id != PropertyId::topic_alias;
    if (!usable) return json_.fail(fmt::format("'{}' is not a property of a message", *name), start);
    if (storage_.properties_.view().find(info->id))
      return json_.fail(fmt::format("{} stands there twice", info->key), start);
    return property_value(*info);
  }

  bool property_value(const PropertyInfo& info) {
    const std::size_t start = json_.offset();
    if (info.type == PropertyType::utf8_string || info.type == PropertyType::binary_data) {
      const auto text = info.type == PropertyType::binary_data ? bytes() : json_.string(storage_.text_);
      if (!text) return false;
      return storage_.properties_.add(info.id, *text) ||
             json_.fail(fmt::format("{} is too long", info.key), start);
    }
    const auto raw = json_.value();
    if (!raw) return false;
    const auto number = mqtt::parse_number<std::uint32_t>(raw->text);
    const std::uint32_t max =
        info.type == PropertyType::byte ? std::min<std::uint32_t>(info.max, 255) : info.max;
    if (!number || *number < info.min || *number > max)
      return json_.fail(fmt::format("{} is not a number from {} to {}", info.key, info.min, max), start);
    storage_.properties_.add(info.id, *number);
    return true;
  }

  /// A string, or {"base64":"..."}.
  std::optional<std::string_view> bytes() {
    if (json_.peek() != '{') return json_.string(storage_.text_);
    const std::size_t start = json_.offset();
    if (!json_.take('{')) return std::nullopt;
    const auto key = json_.string(storage_.text_);
    if (!key) return std::nullopt;
    if (*key != "base64") return json_.fail("there should be a base64 key", start), std::nullopt;
    if (!json_.take(':')) return std::nullopt;
    const auto text = json_.string(storage_.text_);
    if (!text || !json_.take('}')) return std::nullopt;
    auto decoded = mqtt::from_base64(*text);
    if (!decoded) return json_.fail("that is not base64", start), std::nullopt;
    storage_.text_ = std::move(*decoded);
    return storage_.text_;
  }

  bool user_properties() {
    if (std::exchange(user_properties_seen_, true)) return json_.fail("user_properties stand there twice");
    if (!json_.take('[')) return false;
    if (json_.take_if(']')) return true;
    do
      if (!user_property()) return false;
    while (json_.take_if(','));
    return json_.take(']');
  }

  bool user_property() {
    const std::size_t start = json_.offset();
    if (!json_.take('[')) return false;
    const auto key = json_.string(storage_.pair_key_);
    if (!key || !json_.take(',')) return false;
    const auto value = json_.string(storage_.text_);
    if (!value || !json_.take(']')) return false;
    return storage_.properties_.add_user_property(*key, *value) ||
           json_.fail("a User Property is too long", start);
  }

  MessageLineReader& storage_;
  JsonScanner json_;
  MessageLine message_;
  std::string_view encoding_;
  std::optional<RawJson> raw_payload_;
  std::size_t payload_at_ = 0;
  std::optional<std::uint64_t> len_;
  unsigned seen_ = 0;  // bit n: keys[n]
  bool is_event_ = false;
  bool user_properties_seen_ = false;
};

const MessageLineParser::Key MessageLineParser::keys[] = {{"topic", &MessageLineParser::topic},
                                                          {"qos", &MessageLineParser::qos},
                                                          {"retain", &MessageLineParser::retain},
                                                          {"encoding", &MessageLineParser::encoding},
                                                          {"payload", &MessageLineParser::payload_text},
                                                          {"properties", &MessageLineParser::properties},
                                                          {"ts", &MessageLineParser::ts},
                                                          {"len", &MessageLineParser::len},
                                                          {"event", &MessageLineParser::event}};

const MessageLineParser::Key* MessageLineParser::keys_begin() { return std::begin(keys); }
const MessageLineParser::Key* MessageLineParser::keys_end() { return std::end(keys); }

std::expected<std::optional<MessageLine>, JsonFault> MessageLineReader::read(std::string_view line) {
  properties_ = {};
  // One pass for the whole line: what is taken out of it needs no check of its own.
  if (const auto fault = mqtt::find_utf8_error(mqtt::as_bytes(line)))
    return std::unexpected(JsonFault{"that is not UTF-8 text", fault->offset});
  return MessageLineParser{*this, line}.parse();
}

}  // namespace mq
