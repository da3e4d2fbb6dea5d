#include <mqtt/server/lanes.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace mqtt::server {
namespace {

/// What one thread may owe another one, but for a read of each publisher that has not noticed yet.
constexpr std::size_t way_max = 1024 * 1024;
/// What may wait for the clients of one thread, if those that are not slow let nothing wait.
constexpr std::size_t waiting_max = 16 * 1024 * 1024;
/// Of a call, besides its bytes.
constexpr std::size_t call_bytes = 64;

/// How late the broker may learn that a client was heard: no Keep Alive notices it.
constexpr Duration report_interval = std::chrono::milliseconds{250};

}  // namespace

Way::Way(Lanes& from, Lanes& to) : from_{from}, to_{to}, mailbox_{from.thread().loop(), to.thread().inbox()} {
  from.thread().to_home().hand_over_after(mailbox_);
}

void Way::send(std::shared_ptr<const LaneRoute::Stop> stop, Bytes packets) {
  under_way_ += packets.size() + call_bytes;
  mailbox_.post(
      [stop = std::move(stop)](Bytes posted) {
        stop->lanes->deliver(*stop, posted);
        stop->way->note_arrived(posted.size() + call_bytes);
      },
      packets);
}

/// It may have become free between the two looks. We are told of that all the same, for others may wait.
bool Way::is_full() {
  if (under_way_ < way_max) return false;
  awaited_ = true;
  return under_way_ >= way_max;
}

void Way::note_arrived(std::size_t size) {
  const std::size_t left = under_way_ -= size;
  if (left > way_max / 2 || !awaited_ || !awaited_.exchange(false)) return;
  to_.way_to(from_)->mailbox().post([lanes = &from_](Bytes) { lanes->on_way_free(); });
}

Lanes::Lanes(net::LoopThread& thread)
    : thread_{thread},
      turn_end_{thread.loop(), [this] { at_turn_end(); }},
      report_timer_{thread.loop(), [this] { report(); }} {}

void Lanes::connect(std::span<const std::unique_ptr<Lanes>> all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i]->place_ = i;
    for (const auto& other : all)
      all[i]->ways_.push_back(other == all[i] ? nullptr : std::make_unique<Way>(*all[i], *other));
  }
}

void Lanes::remove(Lane& lane) {
  lanes_.erase(lane.number());
  for (auto* const list : {&outputs_, &resting_, &waiting_, &active_}) std::erase(*list, &lane);
}

void Lanes::note_output(Lane& lane) {
  turn_end_.request();
  if (!std::exchange(lane.has_output_, true)) outputs_.push_back(&lane);
}

void Lanes::rest(Lane& lane) {
  turn_end_.request();
  resting_.push_back(&lane);
}

void Lanes::note_active(Lane& lane) {
  turn_end_.request();
  if (std::exchange(lane.is_active_, true)) return;
  if (active_.empty()) report_timer_.set(now() + report_interval);
  active_.push_back(&lane);
}

void Lanes::at_turn_end() {
  ++turn_;
  flush_all();
  for (Lane* const lane : std::exchange(resting_, {})) {
    lane->rests_ = false;
    lane->go_on();
  }
}

void Lanes::flush_all() {
  for (Lane* const lane : std::exchange(outputs_, {})) lane->flush();
}

bool Lanes::has_room(std::size_t size) const { return waiting_bytes_ + size <= waiting_max; }

void Lanes::wait_for_way(Lane& lane) {
  waiting_.push_back(&lane);
  lane.note_heard();
}

void Lanes::on_way_free() {
  for (Lane* const lane : std::exchange(waiting_, {})) {
    lane->waits_for_way_ = false;
    lane->go_on();
  }
}

void Lanes::report() {
  for (Lane* const lane : std::exchange(active_, {})) {
    lane->is_active_ = false;
    lane->report();
  }
  for (Lane* const lane : waiting_) lane->note_heard();  // nobody reads what it says meanwhile
}

void Lanes::deliver(const LaneRoute::Stop& stop, Bytes packets) {
  const bool have_properties = stop.route->version == Version::v5;
  insert(stop.alike, packets, have_properties, *stop.route);
  if (stop.other.empty()) return;
  translate(packets, have_properties);
  insert(stop.other, translated_, !have_properties, *stop.route);
}

void Lanes::insert(std::span<const std::uint64_t> numbers, Bytes packets, bool have_properties,
                   const LaneRoute& route) {
  for (const std::uint64_t number : numbers)
    if (const auto lane = lanes_.find(number); lane != lanes_.end())
      lane->second->insert(packets, have_properties, route);
}

/// Between 5.0, where each message has an empty list of properties, and the versions that know none.
void Lanes::translate(Bytes packets, bool have_properties) {
  translated_.clear();
  PacketEnds ends;
  while (!packets.empty()) {
    const Bytes packet = packets.first(ends.next(packets));
    packets = packets.subspan(packet.size());
    const auto [topic, payload] = PlainMessage{packet, have_properties};
    std::size_t length = topic.size() + (have_properties ? 0 : 1) + payload.size();
    translated_.push_back(packet[0]);
    for (; length >= 0x80; length >>= 7) translated_.push_back(static_cast<std::uint8_t>(length | 0x80));
    translated_.push_back(static_cast<std::uint8_t>(length));
    translated_.insert(translated_.end(), topic.begin(), topic.end());
    if (!have_properties) translated_.push_back(0);
    translated_.insert(translated_.end(), payload.begin(), payload.end());
  }
}

}  // namespace mqtt::server
