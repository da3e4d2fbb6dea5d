#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/codec/property.hpp>
#include <mqtt/codec/types.hpp>
#include <mqtt/util/bytes.hpp>

namespace mq {

/// What is wrong with a line, as the end of a sentence, and at which byte of it (from 0).
struct JsonFault {
  std::string what;
  std::size_t offset = 0;
};

/// A message as a JSON line gives it; what the line leaves out is absent here. The views live as long as
/// the line and until the reader's next call.
struct MessageLine {
  std::optional<std::string_view> topic;
  std::optional<mqtt::QoS> qos;
  std::optional<bool> retain;
  mqtt::Bytes payload;
  mqtt::PropertiesView properties;               ///< fit for a client's PUBLISH
  std::optional<std::int64_t> recorded_at_ns{};  ///< `ts`, in nanoseconds since 1970
};

/// Reads the lines that MessageLineWriter writes (mq-message.schema.json), exactly: the message it gives
/// has the topic, payload bytes, QoS, retain flag and properties of the one that was written. A payload
/// of encoding "json" is the line's own bytes, never numbers that were read and written again; blanks
/// around it belong to it only if `len` says so. Lines made by hand may leave out whatever has a default:
/// without `encoding` a string is text, null is empty, and anything else is JSON.
///
/// What only means something at the receiver is ignored: id, dup, time, len, subscription identifiers;
/// so are keys that are not ours. A key of ours may stand only once.
class MessageLineReader {
 public:
  /// Nothing for an object that is a life-cycle event (`event`, and no topic). `line` without its line
  /// feed.
  [[nodiscard]] std::expected<std::optional<MessageLine>, JsonFault> read(std::string_view line);

 private:
  friend class MessageLineParser;

  // Storage of what had to be decoded, kept for the next line.
  std::string topic_;
  std::string payload_;
  std::string key_;
  std::string text_;
  std::string pair_key_;
  mqtt::Properties properties_;
};

}  // namespace mq
