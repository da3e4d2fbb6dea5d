#pragma once
#include <string>

#include <mqtt/codec/packet.hpp>

#include "common/message_format.hpp"
#include "common/wall_time.hpp"

namespace mq {

/// Writes messages as CSV (RFC 4180, but with a line feed alone): any payload fits, since `encoding` says
/// whether it stands there as it is (utf8) or as base64; it is none where there is no payload.
class CsvOutput {
 public:
  explicit CsvOutput(PlainEscape escape) : escape_{escape} {}

  static constexpr std::string_view header = "time,topic,qos,retain,len,encoding,payload\n";

  void write(std::string& out, const mqtt::PublishView& message, WallTime received);

 private:
  void append_text(std::string& out, std::string_view text) const;

  PlainEscape escape_;
  WallClockText clock_;
};

}  // namespace mq
