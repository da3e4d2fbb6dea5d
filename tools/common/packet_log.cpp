#include "common/packet_log.hpp"

#include <mqtt/inspect/describe.hpp>

namespace mq {

PacketLog::PacketLog(Diag& diag, mqtt::ClientSession& session) : diag_{diag}, session_{session} {
  if (diag.shows(Severity::debug)) session.set_observer(this);
}

void PacketLog::write(std::string_view direction, const mqtt::PacketView& packet) {
  std::string line{direction};
  mqtt::append_description(line, packet, session_.version());
  diag_.debug(line);
}

}  // namespace mq
