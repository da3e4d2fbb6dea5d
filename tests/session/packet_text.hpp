#pragma once
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/packet.hpp>

// Packets as one line of text, both ways:
//
//   CONNECT id=a clean ka=60 user=u pass=p will=topic willp=payload willq=1 willr
//   CONNACK sp rc=0x87            (before 5.0 rc is the return code)
//   PUBLISH q=1 id=1 dup retain t=topic p=payload
//   PUBACK id=1 rc=0x10           (PUBREC, PUBREL, PUBCOMP)
//   SUBSCRIBE id=1 f=a/+:1:nl:rap:rh2 f=b:0        SUBACK id=1 rc=1,0x80
//   UNSUBSCRIBE id=1 f=a/+                         UNSUBACK id=1 rc=0,0x11
//   PINGREQ   PINGRESP   DISCONNECT rc=0x04   AUTH rc=0x18
//
// and after these any property by its name: receive_maximum=5 user_property=key:value will.content_type=x.
// "p=x*5000" is x five thousand times; values hold no spaces.

namespace mqtt::test {

/// A parsed packet and what its views point to.
struct OwnedPacket {
  PacketView view;
  std::deque<std::string> texts;
  Properties properties;
  Properties will_properties;
  SubscriptionList subscriptions;
  FilterList filters;
};

/// Nothing, and `problem` filled, if the line is not a packet.
[[nodiscard]] std::unique_ptr<OwnedPacket> parse_packet(std::string_view line, Version version,
                                                        std::string& problem);

/// The same line for the same packet: fields in fixed order, long payloads as their length.
[[nodiscard]] std::string describe(const PacketView& packet);

[[nodiscard]] std::vector<std::string> split(std::string_view line, char separator);

}  // namespace mqtt::test
