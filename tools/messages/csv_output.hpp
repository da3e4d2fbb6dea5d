#pragma once
#include <string>

#include <mqtt/codec/packet.hpp>

#include "common/wall_time.hpp"

namespace mq {

/// Writes messages as CSV (RFC 4180, but with a line feed alone): any payload fits, since `encoding` says
/// whether it stands there as it is (utf8) or as base64; it is none where there is no payload.
class CsvOutput {
 public:
  static constexpr std::string_view header = "time,topic,qos,retain,len,encoding,payload\n";

  void write(std::string& out, const mqtt::PublishView& message, WallTime received);

 private:
  WallClockText clock_;
};

}  // namespace mq
