#include <mqtt/broker/events.hpp>

namespace mqtt::broker {

std::string_view to_string(DropReason reason) {
  switch (reason) {
    case DropReason::queue_full: return "queue_full";
    case DropReason::memory_full: return "memory_full";
    case DropReason::expired: return "expired";
    case DropReason::too_large: return "too_large";
    case DropReason::not_authorized: return "not_authorized";
    case DropReason::offline: return "offline";
    case DropReason::session_ended: return "session_ended";
    case DropReason::no_member: return "no_member";
    case DropReason::retained_full: return "retained_full";
    case DropReason::publish_refused: return "publish_refused";
  }
  return "unknown";
}

}  // namespace mqtt::broker
