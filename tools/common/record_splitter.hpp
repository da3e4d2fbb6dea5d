#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

#include "common/line_splitter.hpp"

namespace mq {

/// Cuts a byte stream of records that each begin with their length: four bytes, big-endian, which do
/// not count themselves. Length based: any byte may stand in a record.
class LengthSplitter {
 public:
  /// A record above `record_max` bytes is an error.
  explicit LengthSplitter(std::size_t record_max = mqtt::remaining_length_max) : record_max_{record_max} {}

  /// As LineSplitter::next(). Error{system, EMSGSIZE} for a record that is too long.
  [[nodiscard]] mqtt::Result<std::optional<mqtt::Bytes>> next(mqtt::Bytes& input);
  /// At the end of the stream. Error{system, EBADMSG} if it ends inside a record.
  [[nodiscard]] mqtt::Result<void> finish() const;

 private:
  [[nodiscard]] bool carry_up_to(std::size_t size, mqtt::Bytes& input);

  std::size_t record_max_;
  std::string carry_;
  bool carry_done_ = false;  // the record last returned lies in carry_
};

enum class Framing : std::uint8_t {
  separator,      ///< records end with a separator; the last one may lack it
  length_prefix,  ///< LengthSplitter's
  whole,          ///< the whole input is one record
};

/// Any of the framings, for one input after another.
class RecordSplitter {
 public:
  explicit RecordSplitter(Framing framing, std::string separator = "\n")
      : framing_{framing}, separator_{std::move(separator)}, lines_{separator_} {}

  /// As LineSplitter::next(). With Framing::whole all comes from finish().
  [[nodiscard]] mqtt::Result<std::optional<mqtt::Bytes>> next(mqtt::Bytes& input) {
    if (framing_ == Framing::separator) return lines_.next(input);
    if (framing_ == Framing::length_prefix) return lengths_.next(input);
    return gather(input);
  }
  /// Whether finish() would give a record.
  [[nodiscard]] bool pending() const {
    return framing_ == Framing::whole || (framing_ == Framing::separator && lines_.pending());
  }
  /// At the end of an input: its last record, if there is one that next() has not given. The next input
  /// starts afresh.
  [[nodiscard]] mqtt::Result<std::optional<mqtt::SharedBytes>> finish();
  /// How long the input is, if that is known: whole ones are gathered without copying.
  void expect(std::size_t bytes);

 private:
  [[nodiscard]] mqtt::Result<std::optional<mqtt::Bytes>> gather(mqtt::Bytes& input);

  Framing framing_;
  std::string separator_;
  LineSplitter lines_;
  LengthSplitter lengths_;
  std::string whole_;
};

}  // namespace mq
