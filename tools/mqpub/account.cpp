#include "mqpub/account.hpp"

#include <fmt/format.h>

namespace mq {

void Account::sent(mqtt::PacketId id, std::size_t payload_bytes) {
  ++sent_;
  if (id == 0) {
    qos_0_ = true;
    return;
  }
  if (bytes_by_id_.size() <= id) bytes_by_id_.resize(std::size_t{id} * 2);
  bytes_by_id_[id] = static_cast<std::uint32_t>(payload_bytes);
  ++in_flight_;
  in_flight_bytes_ += payload_bytes;
}

void Account::answered(mqtt::PacketId id, mqtt::ReasonCode reason) {
  ++(mqtt::is_error(reason) ? rejected_ : acked_);
  if (id >= bytes_by_id_.size() || in_flight_ == 0) return;
  --in_flight_;
  in_flight_bytes_ -= bytes_by_id_[id];
  bytes_by_id_[id] = 0;
}

std::string Account::text() const {
  return fmt::format("sent {}, acked {}, rejected {}, unacked {}", sent_, acked_, rejected_, in_flight_);
}

}  // namespace mq
