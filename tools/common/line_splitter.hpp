#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

namespace mq {

/// Cuts a byte stream into records. Length based: any byte may stand in a record. Exactly the one
/// separator is taken away; '\r' and blanks stay. An empty record is a record.
class LineSplitter {
 public:
  /// `separator` must not be empty. A record above `record_max` bytes is an error.
  explicit LineSplitter(std::string separator = "\n", std::size_t record_max = mqtt::remaining_length_max)
      : separator_{std::move(separator)}, record_max_{record_max} {}

  /// Takes bytes from the front of `input`: the next record, or nothing once `input` is used up. A
  /// record whole in `input` is a view of it, others are gathered inside; valid until the next call
  /// and while the input's memory is. Error{system, EMSGSIZE} for a record that is too long.
  [[nodiscard]] mqtt::Result<std::optional<mqtt::Bytes>> next(mqtt::Bytes& input);

  /// Whether finish() would give a record.
  [[nodiscard]] bool pending() const { return !carry_done_ && !carry_.empty(); }
  /// At the end of the stream: the last record, if it had no separator.
  [[nodiscard]] std::optional<mqtt::Bytes> finish();

 private:
  [[nodiscard]] mqtt::Result<std::optional<mqtt::Bytes>> next_from_carry(mqtt::Bytes& input);
  [[nodiscard]] bool carry(mqtt::Bytes& input, std::size_t size);
  [[nodiscard]] std::unexpected<mqtt::Error> too_long() const;

  std::string separator_;
  std::size_t record_max_;
  std::string carry_;
  bool carry_done_ = false;  // the record last returned lies in carry_
};

}  // namespace mq
