#include <mqtt/server/lane.hpp>

#include <algorithm>
#include <utility>

#include <mqtt/server/lanes.hpp>
#include <mqtt/util/chunk.hpp>

namespace mqtt::server {
namespace {

/// Of QoS 0, before a connection is taken for one that sends many.
constexpr std::uint32_t messages_min = 16;
/// So many times as many messages as went home before the question have to go by a route that was worth it;
/// else the next question is put off twice as long, up to so many messages.
constexpr std::size_t useful_from = 4;
constexpr std::uint32_t asked_from_max = 16 * 1024;

/// Of one publisher: together with route_receivers_max a bound on what it makes us keep.
constexpr std::size_t topics_max = 16;
constexpr std::size_t topic_size_max = 256;

/// Larger packets go home, where large payloads are shared and memory is accounted for.
constexpr std::size_t packet_size_max = OutBuffer::reference_from_bytes;

/// Of one publisher in one turn of the loop: the others have theirs.
constexpr std::size_t routed_per_turn = 64 * 1024;

/// What waits for a receiver leaves in such steps, whatever the turn still brings.
constexpr std::size_t flushed_at_once = 32 * 1024;
/// Who lets more wait is the broker's business: it has queues, and rules for slow readers.
constexpr std::size_t slow_from = 64 * 1024;

/// A message may need a longer header and an empty list of properties at the receiver's version.
constexpr std::size_t translation_bytes = 2;

broker::RoutedCounts count_sent(Bytes packets, bool have_properties) {
  broker::RoutedCounts counts{.sent_bytes = packets.size()};
  for (PacketEnds ends; !packets.empty(); ++counts.sent) {
    const Bytes packet = packets.first(ends.next(packets));
    packets = packets.subspan(packet.size());
    counts.sent_payload_bytes += PlainMessage{packet, have_properties}.payload.size();
  }
  return counts;
}

template <class T>
Bytes bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

bool is_valid(const LaneRoutePtr& route) { return route && *route->valid; }

}  // namespace

LaneRoute::LaneRoute(const broker::Route& found)
    : valid{found.valid},
      version{found.version},
      packet_size_max{found.packet_size_max -
                      std::min<std::size_t>(found.packet_size_max, translation_bytes)} {}

void LaneRoute::add(Lane& publisher, Lane& receiver, Version its_version) {
  Lanes& lanes = receiver.lanes();
  auto stop = std::ranges::find(stops, &lanes, &Stop::lanes);
  if (stop == stops.end())
    stop = stops.insert(stops.end(), Stop{&lanes, publisher.lanes().way_to(lanes), this});
  const bool alike = (its_version == Version::v5) == (version == Version::v5);
  (alike ? stop->alike : stop->other).push_back(receiver.number());
  ++receivers;
}

Lane::~Lane() {
  if (!end_) return;
  lanes_.recount(counted_, 0);
  lanes_.remove(*this);
}

void Lane::begin(net::CarriedEnd& end) {
  end_ = &end;
  lanes_.add(*this);
}

void Lane::on_read(Bytes bytes) {
  if (!holds()) return take(bytes);
  auto& rest = publishing_.make().rest;
  rest.insert(rest.end(), bytes.begin(), bytes.end());
}

/// `input` is all that was read and not looked at.
void Lane::take(Bytes input) {
  over_ |= let_go_;
  Run run;
  Bytes home;
  Sieve::Piece held;
  while (!holds()) {
    const Sieve::Piece piece = sieve_.next(input, publishing_ && !over_ ? packet_size_max : 0);
    if (piece.kind == Sieve::Kind::nothing) break;
    const Fate fate = piece.kind == Sieve::Kind::message ? route(piece, run) : Fate::goes_home;
    if (fate != Fate::routed || piece.copied) deliver(run);
    if (fate == Fate::routed) flush_home(home);
    if (fate == Fate::goes_home) send_home(piece, home);
    if (fate != Fate::waits) continue;
    held = piece;
    break;
  }
  deliver(run);
  flush_home(home);
  if (sieve_.keeps() && publishing_) note_heard();
  if (holds()) hold(held, input);
}

/// With what is to go before it, if one is behind the other in memory.
void Lane::send_home(const Sieve::Piece& piece, Bytes& before) {
  if (piece.order == Sieve::Order::all) end_routes();
  // Large messages come cut most of the time; looked at closer, they wait for their rest.
  if (piece.kind == Sieve::Kind::other && piece.order == Sieve::Order::of_topic && !publishing_ &&
      ++messages_ >= messages_min)
    (void)publishing_.make();
  if (piece.order == Sieve::Order::of_topic && publishing_) {
    auto& topics = publishing_.make().topics;
    if (const auto known = topics.find(piece.topic); known != topics.end()) end_route(known->second);
  }
  if (piece.bytes.data() == before.data() + before.size() && !piece.copied) {
    before = {before.data(), before.size() + piece.bytes.size()};
    return;
  }
  flush_home(before);
  before = piece.bytes;
  if (piece.copied) flush_home(before);
}

void Lane::flush_home(Bytes& bytes) {
  if (!bytes.empty()) end_->send_home(bytes);
  bytes = {};
}

Lane::Fate Lane::route(const Sieve::Piece& message, Run& run) {
  if (over_) return Fate::goes_home;
  if (run.topic && message.topic != run.name) deliver(run);
  if (holds()) return Fate::waits;
  Topic* const topic = run.topic ? run.topic : find_topic(message.topic);
  if (!topic) return Fate::goes_home;
  if (!is_valid(topic->route)) {
    // One that has ended without our doing is worth another question at once.
    if (!topic->route && ++topic->sent_home < topic->asked_from) return Fate::goes_home;
    publishing_.make().asked = message.topic;
    return Fate::waits;
  }
  const LaneRoute& its = *topic->route;
  const bool v5 = its.version == Version::v5;
  if (v5 && (message.rest.empty() || message.rest[0] != 0)) return Fate::goes_home;  // it has properties
  if (message.bytes.size() > std::min(packet_size_max, its.packet_size_max)) return Fate::goes_home;
  const bool goes_on = run.topic == topic && message.bytes.data() == run.packets.data() + run.packets.size();
  if (!goes_on) {
    deliver(run);
    if (holds() || waits_for_ways(its)) return Fate::waits;
    run = {.topic = topic, .name = message.topic, .packets = message.bytes.first(0)};
  }
  run.packets = {run.packets.data(), run.packets.size() + message.bytes.size()};
  ++run.count;
  run.payload_bytes += message.rest.size() - (v5 ? 1 : 0);
  return Fate::routed;
}

/// Null: not of those that are looked at.
Lane::Topic* Lane::find_topic(std::string_view name) {
  if (!publishing_ && ++messages_ < messages_min) return nullptr;
  auto& topics = publishing_.make().topics;
  if (const auto known = topics.find(name); known != topics.end()) return &known->second;
  if (name.size() > topic_size_max) return nullptr;
  if (topics.size() == topics_max) drop_rarest();
  if (topics.size() == topics_max) return nullptr;
  return &topics.emplace(name, Topic{.asked_from = publishing_->first_asked_from}).first->second;
}

/// Of the topics without a route, that with the fewest messages.
void Lane::drop_rarest() {
  auto& topics = publishing_.make().topics;
  auto rarest = topics.end();
  for (auto each = topics.begin(); each != topics.end(); ++each)
    if (!is_valid(each->second.route) &&
        (rarest == topics.end() || each->second.sent_home < rarest->second.sent_home))
      rarest = each;
  if (rarest != topics.end()) topics.erase(rarest);
}

/// Another thread has enough to do.
bool Lane::waits_for_ways(const LaneRoute& route) {
  if (waits_for_way_) return true;
  waits_for_way_ =
      std::ranges::any_of(route.stops, [](const auto& stop) { return stop.way && stop.way->is_full(); });
  if (waits_for_way_) lanes_.wait_for_way(*this);
  return waits_for_way_;
}

/// Until something has come that it waits for. `first`, if it is not empty, was not dealt with.
void Lane::hold(const Sieve::Piece& first, Bytes rest) {
  auto& kept = publishing_.make().rest;
  kept.insert(kept.end(), first.bytes.begin(), first.bytes.end());
  kept.insert(kept.end(), rest.begin(), rest.end());
  end_->hold_reading();
  if (!publishing_->asked.empty())
    end_->tell_home(static_cast<std::uint32_t>(LaneWord::ask), as_bytes(publishing_->asked));
}

void Lane::go_on() {
  if (holds()) return;
  const std::vector<std::uint8_t> rest = std::exchange(publishing_.make().rest, {});
  take(rest);
  if (!holds()) end_->let_read();
}

void Lane::on_answer(LaneRoutePtr route) {
  if (publishing_->asked.empty()) return;  // it is not awaited any more
  Publishing& publishing = publishing_.make();
  Topic& topic = publishing.topics[std::exchange(publishing.asked, {})];
  if (topic.route) end_route(topic);
  topic.route = is_valid(route) ? std::move(route) : nullptr;
  topic.sent_home = 0;
  std::uint32_t& first = publishing.first_asked_from;
  first = topic.route ? 1 : std::min(first * 2, asked_from_max);
  if (!topic.route) topic.asked_from = std::min(topic.asked_from * 2, asked_from_max);
  go_on();
}

/// The topic's messages go home, and it is asked for another route when enough have.
void Lane::end_route(Topic& topic) {
  if (!topic.route) return;
  const bool was_useful = topic.routed >= useful_from * topic.asked_from;
  topic = {.asked_from = was_useful ? 1 : std::min(topic.asked_from * 2, asked_from_max)};
}

/// What has been routed is told of before what ends that.
void Lane::end_routes() {
  if (!publishing_) return;
  report();
  for (auto& [name, topic] : publishing_.make().topics) end_route(topic);
}

void Lane::deliver(Run& run) {
  if (run.count == 0) return;
  const LaneRoutePtr route = run.topic->route;
  for (const LaneRoute::Stop& stop : route->stops)
    stop.way ? stop.way->send({route, &stop}, run.packets) : lanes_.deliver(stop, run.packets);
  count(run);
  run = {};
}

void Lane::count(const Run& run) {
  const std::size_t size = run.packets.size();
  const std::size_t receivers = run.topic->route->receivers;
  run.topic->routed += run.count;
  broker::RoutedCounts& counts = publishing_.make().report.counts;
  counts.received += run.count;
  counts.received_bytes += size;
  counts.received_payload_bytes += run.payload_bytes;
  counts.sent += run.count * receivers;
  counts.sent_bytes += size * receivers;
  counts.sent_payload_bytes += run.payload_bytes * receivers;
  note_heard();
  if (routed_turn_ != lanes_.turn()) routed_bytes_ = 0;
  routed_turn_ = lanes_.turn();
  routed_bytes_ += static_cast<std::uint32_t>(size);
  if (routed_bytes_ < routed_per_turn || std::exchange(rests_, true)) return;
  lanes_.rest(*this);
}

void Lane::note_heard() {
  publishing_.make().report.heard = lanes_.now();
  lanes_.note_active(*this);
}

void Lane::report() {
  if (publishing_->report.heard == TimePoint{}) return;
  const LaneReport report = std::exchange(publishing_.make().report, {});
  end_->tell_home(static_cast<std::uint32_t>(LaneWord::report), bytes_of(report));
}

void Lane::leave_broker() {
  if (!end_) return;  // there is no stream
  over_ = true;
  if (!publishing_) return;
  end_routes();
  publishing_.make().asked.clear();
  go_on();
}

/// What is held for other threads' sake goes home, too: the order is the same that way.
void Lane::on_read_over() {
  waits_for_way_ = rests_ = false;
  leave_broker();
  if (const auto kept = sieve_.take_kept(); !kept.empty()) end_->send_home(kept);
}

void Lane::insert(Bytes packets, bool have_properties, const LaneRoute& route) {
  if (said_goodbye_) return;
  if (!has_room(packets.size())) {
    route.valid->store(false);
    const broker::RoutedCounts dropped = count_sent(packets, have_properties);
    return end_->tell_home(static_cast<std::uint32_t>(LaneWord::dropped), bytes_of(dropped));
  }
  if (written_.at_end()) {
    end_->append(packets, net::Origin::shortcut);
    if (end_->waiting() >= flushed_at_once) end_->flush();
    lanes_.note_output(*this);
  } else {
    auto& behind = behind_.make();
    behind.insert(behind.end(), packets.begin(), packets.end());
  }
  recount();
  if (counted_ < slow_from) return;
  route.valid->store(false);
  if (!std::exchange(slow_, true)) end_->tell_home(static_cast<std::uint32_t>(LaneWord::slow));
}

/// Who is not slow always has, however much waits for others.
bool Lane::has_room(std::size_t size) {
  if (lanes_.has_room(size)) return true;
  lanes_.flush_all();
  return counted_ < slow_from || lanes_.has_room(size);
}

/// All that waits for the client, what came from home too: so the account says rather too much.
void Lane::recount() {
  const std::size_t waiting = end_->waiting() + behind_->size();
  lanes_.recount(std::exchange(counted_, waiting), waiting);
}

void Lane::flush() {
  has_output_ = false;
  end_->flush();
  on_drained();
}

void Lane::on_from_home(Bytes bytes) {
  while (!bytes.empty()) {
    std::size_t size = 0;
    // In one piece, unless something waits for a place between.
    do size += written_.next(bytes.subspan(size));
    while (size < bytes.size() && !behind_);
    end_->append(bytes.first(size), net::Origin::home);
    bytes = bytes.subspan(size);
    said_goodbye_ |= written_.first_byte() >> 4 == static_cast<std::uint8_t>(PacketType::disconnect);
    if (!behind_ || !written_.at_end()) continue;
    end_->append(*behind_, net::Origin::shortcut);
    behind_.reset();
    lanes_.note_output(*this);
  }
}

void Lane::on_drained() {
  if (counted_ > 0) recount();
  if (end_->waiting() > 0 || behind_) return;
  if (std::exchange(slow_, false)) end_->tell_home(static_cast<std::uint32_t>(LaneWord::quiet));
}

}  // namespace mqtt::server
