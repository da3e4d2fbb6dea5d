#include "mqspy/fault_line.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <mqtt/codec/decode.hpp>

#include "mqspy/set_field.hpp"

namespace mq::spy {
namespace {

using mqtt::Sender;
using Kind = FaultAction::Kind;

/// A packet that is to come behind others does not wait longer for them.
constexpr mqtt::Duration reorder_patience = std::chrono::seconds{1};
/// Between pieces that are to be written, and so very likely read, on their own.
constexpr mqtt::Duration split_pause = std::chrono::milliseconds{2};
/// A throttled packet leaves in pieces of so much time.
constexpr mqtt::Duration throttle_pause = std::chrono::milliseconds{20};

/// Bytes that leave within `span`, at least one.
std::size_t bytes_in(mqtt::Duration span, std::uint64_t rate) {
  const double seconds = std::chrono::duration<double>{span}.count();
  return std::max<std::size_t>(static_cast<std::size_t>(static_cast<double>(rate) * seconds), 1);
}

mqtt::Duration time_for(std::size_t bytes, std::uint64_t rate) {
  const std::chrono::duration<double> seconds{static_cast<double>(bytes) / static_cast<double>(rate)};
  return std::chrono::duration_cast<mqtt::Duration>(seconds);
}

/// A piece that is smaller than the others needs less time.
mqtt::Duration pause_behind(std::size_t size, mqtt::Duration pause, std::size_t piece) {
  return std::chrono::duration_cast<mqtt::Duration>(std::chrono::duration<double, std::nano>{pause} *
                                                    (static_cast<double>(size) / static_cast<double>(piece)));
}

/// Only a client says this.
bool is_a_clients(mqtt::ReasonCode reason) {
  return !mqtt::reason_allowed(reason, mqtt::PacketType::disconnect, Sender::server) &&
         mqtt::reason_allowed(reason, mqtt::PacketType::disconnect, Sender::client);
}

}  // namespace

/// A packet on its way, and what the rules have made of it so far.
struct FaultLine::Passage {
  Sender sender;
  mqtt::TimePoint now;
  std::string bytes;
  Item shape{};            // how it is sent: its time and its pieces
  unsigned copies = 1;     // 0: it goes no further
  std::size_t behind = 0;  // so many packets
  std::string said{};      // in the name of the other side, or, with a close, of whoever says it
  Sender said_by = Sender::server;
  std::optional<CloseKind> close{};
};

/// Follows the packets, and hands each to the rules once its connection knows of it.
class FaultLine::Watch final : public mqtt::FlowWatcher {
 public:
  using Handle = std::function<void(const PacketRecord&)>;
  Watch(const Link& link, Handle handle) : link_{link}, handle_{std::move(handle)} {}

  void before_packet(const mqtt::FlowPacket& packet, const mqtt::FlowState& state) override {
    if (handle_) mqtt::lint(packet, state, findings_);
  }
  void after_packet(const mqtt::FlowPacket& packet, const mqtt::FlowState& state) override {
    const InFlight in_flight{state.side(Sender::client).messages.size(),
                             state.side(Sender::server).messages.size()};
    if (handle_) handle_({link_, packet, state, in_flight, findings_});
  }
  void on_close(const mqtt::FlowClose&, const mqtt::FlowState&) override {}

 private:
  const Link& link_;
  Handle handle_;
  std::vector<mqtt::Finding> findings_;
};

FaultLine::FaultLine(FaultRules& rules, const Link& link) : rules_{rules}, link_{link} {}

/// Those that have been behind for long enough.
template <class Enough>
void FaultLine::let_pass(Sender sender, Enough enough) {
  Direction& from = direction(sender);
  for (Late& each : from.late) {
    if (!enough(each)) continue;
    from.queued_bytes -= each.item.bytes.size();
    enqueue(sender, std::move(each.item));
  }
  std::erase_if(from.late, enough);
}

void FaultLine::receive(Sender sender, mqtt::TimePoint now, mqtt::Bytes bytes, FaultWatcher& watcher) {
  PacketCutter& cutter = direction(sender).cutter;
  const bool was_broken = cutter.broken();
  while (const auto cut = cutter.next(bytes))
    cut->part == PacketCutter::Cut::Part::whole ? pass(sender, now, cut->bytes, watcher)
                                                : pass_piece(sender, now, *cut, watcher);
  if (cutter.broken() && !was_broken) pass_raw(sender, now, cutter.held(), watcher);
  if (cutter.broken()) pass_raw(sender, now, bytes, watcher);
  on_time(now);
}

void FaultLine::end(Sender sender, mqtt::TimePoint now, FaultWatcher& watcher) {
  Direction& from = direction(sender);
  if (!from.cutter.broken()) pass_raw(sender, now, from.cutter.held(), watcher);
  let_pass(sender, [](const Late&) { return true; });
  end_large(sender);
  from.ended = true;
  on_time(now);
}

/// Of a packet that is too large for rules; what follows packets sees it all the same.
void FaultLine::pass_piece(Sender sender, mqtt::TimePoint now, const PacketCutter::Cut& cut,
                           FaultWatcher& watcher) {
  if (cut.part == PacketCutter::Cut::Part::first_piece) watcher.on_too_large(sender, cut.packet_size);
  Watch watch{link_, nullptr};
  flow_.receive(sender, now, cut.bytes, watch);
  pass_raw(sender, now, cut.bytes, watcher);
  if (!direction(sender).cutter.inside()) end_large(sender);
}

void FaultLine::end_large(Sender sender) {
  Direction& from = direction(sender);
  for (Item& item : std::exchange(from.behind_large, {})) from.queue.push_back(std::move(item));
}

void FaultLine::pass_raw(Sender sender, mqtt::TimePoint now, mqtt::Bytes bytes, FaultWatcher& watcher) {
  if (bytes.empty()) return;
  watcher.on_passing(sender, bytes);
  Direction& from = direction(sender);
  from.queued_bytes += bytes.size();
  from.queue.push_back({.bytes = mqtt::to_string(bytes), .due = now});
}

void FaultLine::pass(Sender sender, mqtt::TimePoint now, mqtt::Bytes packet, FaultWatcher& watcher) {
  watcher.on_passing(sender, packet);
  Passage passage{.sender = sender, .now = now, .bytes = mqtt::to_string(packet)};
  passage.shape.due = now;
  Watch watch{link_, [&](const PacketRecord& record) { disturb(record, passage, watcher); }};
  flow_.receive(sender, now, packet, watch);
  send_on(passage);
  if (!passage.said.empty()) say(passage.said_by, now, passage.said, watcher);
  if (passage.close)
    enqueue(passage.said.empty() ? sender : passage.said_by, {.due = now, .close = passage.close});
}

namespace {

/// The packet as it is now; unchanged if it has no such field, or an earlier rule has broken it.
std::string changed(std::string bytes, const mqtt::FlowPacket& packet, const FieldChange& change) {
  mqtt::Framer framer;
  mqtt::Bytes rest = mqtt::as_bytes(bytes);
  const auto frame = framer.next(rest);
  if (!frame || !*frame) return bytes;
  const auto decoded = mqtt::decode(**frame, {packet.version, packet.sender});
  auto made = decoded ? with_change(*decoded, packet.version, change) : std::nullopt;
  return made ? std::move(*made) : bytes;
}

void corrupt(std::string& bytes, const FaultAction& action) {
  if (action.count >= bytes.size()) return;
  const std::size_t size = std::min(action.bytes.size(), bytes.size() - action.count);
  bytes.replace(action.count, size, action.bytes, 0, size);
}

}  // namespace

/// What is sent instead of the packet is what is recorded.
void FaultLine::disturb(const PacketRecord& record, Passage& passage, FaultWatcher& watcher) {
  for (const auto& [rule, late] : rules_.fire(record)) {
    passage.shape.due += rule->action.kind == Kind::delay ? late : mqtt::Duration{};
    apply(rule->action, record.packet, passage);
    std::string sent = passage.said;
    for (unsigned i = 0; i < passage.copies; ++i) sent += passage.bytes;
    watcher.on_fired({passage.sender, *rule, record.packet.bytes, mqtt::as_bytes(sent)});
    if (passage.copies == 0) return;  // there is nothing left for the rules behind
  }
}

void FaultLine::apply(const FaultAction& action, const mqtt::FlowPacket& packet, Passage& passage) {
  Item& shape = passage.shape;
  switch (action.kind) {
    case Kind::delay: return;  // disturb() knows how long
    case Kind::hold: held_until_ = std::max(held_until_, passage.now + action.duration); return;
    case Kind::dup: ++passage.copies; return;
    case Kind::reorder: passage.behind = action.count; return;
    case Kind::corrupt: return corrupt(passage.bytes, action);
    case Kind::truncate: return passage.bytes.resize(std::min(passage.bytes.size(), action.count));
    case Kind::set: passage.bytes = changed(std::move(passage.bytes), packet, action.change); return;
    case Kind::split:
      shape.piece_bytes = action.count;
      shape.pause = split_pause;
      return;
    case Kind::throttle:
      shape.piece_bytes = bytes_in(throttle_pause, action.rate);
      shape.pause = time_for(shape.piece_bytes, action.rate);
      return;
    case Kind::drop: break;
    case Kind::reply: reply(action, packet, passage); break;
    case Kind::close: passage.close = action.how; break;
    case Kind::disconnect: disconnect(action, packet, passage); break;
  }
  passage.copies = 0;
}

void FaultLine::reply(const FaultAction& action, const mqtt::FlowPacket& packet, Passage& passage) {
  if (!packet.packet) return;
  passage.said_by = other(passage.sender);
  passage.said = answer_to(*packet.packet, packet.version, action.reason).value_or("");
  // Who refuses a CONNECT closes [MQTT-3.2.2-7].
  const bool refused = std::holds_alternative<mqtt::ConnectView>(*packet.packet);
  if (refused && action.reason != mqtt::ReasonCode::success) passage.close = CloseKind::fin;
}

/// Before 5.0 a server cannot say why, and a client says nothing but that it goes.
void FaultLine::disconnect(const FaultAction& action, const mqtt::FlowPacket& packet, Passage& passage) {
  passage.close = CloseKind::fin;
  if (packet.version != mqtt::Version::v5) return;
  passage.said_by = is_a_clients(action.reason) ? Sender::client : Sender::server;
  mqtt::DisconnectView made;
  made.reason = action.reason;
  passage.said = encoded(made, packet.version).value_or("");
}

void FaultLine::send_on(const Passage& passage) {
  Direction& from = direction(passage.sender);
  for (unsigned i = 0; i < passage.copies; ++i) {
    Item item = passage.shape;
    item.bytes = passage.bytes;
    if (passage.behind == 0) {
      enqueue(passage.sender, std::move(item));
      continue;
    }
    from.queued_bytes += item.bytes.size();
    from.late.push_back({std::move(item), passage.behind, passage.now + reorder_patience});
  }
  if (passage.copies == 0 || passage.behind > 0) return;
  for (Late& each : from.late) --each.behind;
  let_pass(passage.sender, [](const Late& late) { return late.behind == 0; });
}

void FaultLine::say(Sender sender, mqtt::TimePoint now, const std::string& packet, FaultWatcher& watcher) {
  watcher.on_passing(sender, mqtt::as_bytes(packet));
  Watch watch{link_, nullptr};
  flow_.receive(sender, now, mqtt::as_bytes(packet), watch);
  enqueue(sender, {.bytes = packet, .due = now});
}

void FaultLine::enqueue(Sender sender, Item item) {
  Direction& from = direction(sender);
  from.queued_bytes += item.bytes.size();
  (from.cutter.inside() ? from.behind_large : from.queue).push_back(std::move(item));
}

void FaultLine::on_time(mqtt::TimePoint now) {
  for (const Sender sender : {Sender::client, Sender::server}) {
    let_pass(sender, [now](const Late& late) { return late.at_last <= now; });
    while (release_front(sender, now)) continue;
  }
}

mqtt::TimePoint FaultLine::front_due(const Direction& from) const {
  return std::max({from.queue.front().due, from.not_before, held_until_});
}

bool FaultLine::release_front(Sender sender, mqtt::TimePoint now) {
  Direction& from = direction(sender);
  if (close_ || from.queue.empty() || front_due(from) > now) return false;
  Item& front = from.queue.front();
  if (front.close) {
    close_ = front.close;
    close_behind_ = sender;
    return false;
  }
  const std::size_t rest = front.bytes.size() - front.released;
  const std::size_t size = front.piece_bytes == 0 ? rest : std::min(rest, front.piece_bytes);
  from.output.append(front.bytes, front.released, size);
  from.queued_bytes -= size;
  front.released += size;
  if (front.piece_bytes > 0) from.not_before = now + pause_behind(size, front.pause, front.piece_bytes);
  if (front.released == front.bytes.size()) from.queue.pop_front();
  return true;
}

mqtt::Deadline FaultLine::next_deadline() const {
  if (close_) return std::nullopt;
  mqtt::Deadline next;
  for (const Direction& from : directions_) {
    if (!from.queue.empty()) next = mqtt::earlier(next, front_due(from));
    for (const Late& each : from.late) next = mqtt::earlier(next, each.at_last);
  }
  return next;
}

mqtt::Bytes FaultLine::output(Sender sender) const {
  const Direction& from = direction(sender);
  return mqtt::as_bytes(from.output).subspan(from.written);
}

void FaultLine::consume(Sender sender, std::size_t size) {
  Direction& from = direction(sender);
  from.written += size;
  if (from.written < from.output.size()) return;
  from.output = {};
  from.written = 0;
}

bool FaultLine::finished(Sender sender) const {
  const Direction& from = direction(sender);
  return from.ended && from.queue.empty() && from.behind_large.empty() && from.late.empty() &&
         output(sender).empty();
}

std::optional<CloseKind> FaultLine::wants_close() const {
  return close_ && output(close_behind_).empty() ? close_ : std::nullopt;
}

std::size_t FaultLine::waiting(Sender sender) const {
  return direction(sender).queued_bytes + output(sender).size();
}

}  // namespace mq::spy
