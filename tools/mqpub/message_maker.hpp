#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <random>
#include <string>

#include "common/json_reader.hpp"
#include "common/wall_time.hpp"
#include "mqpub/feed.hpp"
#include "mqpub/options.hpp"

namespace mq {

/// A message, and when it was recorded if its line says so.
struct MadeMessage {
  OutgoingMessage message;
  std::optional<std::int64_t> recorded_at_ns{};
};

/// Makes messages of what was read, as the options say: a payload for the one topic, or a JSON object
/// with everything in it.
class MessageMaker {
 public:
  explicit MessageMaker(const PubConfig& config);

  /// Where records are payloads as they are: all the rest of every message, so that a stream of small ones
  /// need not ask make().
  [[nodiscard]] std::optional<OutgoingMessage> frame() const;

  /// Nothing if the record stands for no message (a blank line, or an event, among JSON lines). The error
  /// is the end of a sentence that begins with where the record stands. The views live until the next call,
  /// and while `record` does.
  [[nodiscard]] std::expected<std::optional<MadeMessage>, std::string> make(const mqtt::SharedBytes& record);

 private:
  [[nodiscard]] std::expected<std::optional<MadeMessage>, std::string> from_json(
      const mqtt::SharedBytes& record);
  [[nodiscard]] mqtt::PropertiesView with_defaults(mqtt::PropertiesView given);

  const PubConfig& config_;
  mqtt::PropertiesView properties_;  // -D publish
  [[nodiscard]] std::string_view rewritten(std::string_view topic);
  [[nodiscard]] MadeMessage from_templates(const mqtt::SharedBytes& record);

  MessageLineReader lines_;
  std::string topic_;  // made by us
  std::string payload_;
  std::uint64_t sequence_ = 0;
  std::mt19937_64 random_;
  WallClockText clock_;
  mqtt::Properties joined_;
};

}  // namespace mq
