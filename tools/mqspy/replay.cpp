#include "mqspy/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mqspy/answer_facts.hpp"
#include "mqspy/names.hpp"

namespace mq::spy {
namespace {

using mqtt::PacketType;
using mqtt::Sender;
using mqtt::TimePoint;

/// At the end, for messages that were recorded and may not come: who published them may not be there.
constexpr mqtt::Duration messages_patience = std::chrono::seconds{1};

bool is_publish(const RecordedPacket& packet) { return type_of(packet) == PacketType::publish; }
unsigned qos_of(const RecordedPacket& packet) { return static_cast<std::uint8_t>(packet.bytes[0]) >> 1 & 3u; }

/// PUBACK, PUBREC or PUBCOMP, whose id is the sender's of the message.
bool answers_message(const RecordedPacket& packet) {
  const PacketType type = type_of(packet);
  return type == PacketType::puback || type == PacketType::pubrec || type == PacketType::pubcomp;
}

std::string acknowledgement(PacketType type, std::uint16_t id) {
  return {static_cast<char>(static_cast<unsigned>(type) << 4), 2, static_cast<char>(id >> 8),
          static_cast<char>(id & 0xFF)};
}

/// Behind the fixed header, which is short: an acknowledgement.
void put_id(std::string& packet, std::uint16_t id) {
  std::size_t at = 1;
  while (at < packet.size() && (packet[at] & 0x80) != 0) ++at;
  if (at + 2 >= packet.size()) return;
  packet[at + 1] = static_cast<char>(id >> 8);
  packet[at + 2] = static_cast<char>(id & 0xFF);
}

/// Of what a server sends and a client answers with its id.
std::uint16_t id_of(const mqtt::PacketView& packet) {
  if (const auto* publish = std::get_if<mqtt::PublishView>(&packet)) return publish->packet_id;
  if (const auto* pubrel = std::get_if<mqtt::PubrelView>(&packet)) return pubrel->packet_id;
  return 0;
}

}  // namespace

Replay::Replay(const RecordedTalk& talk, ReplaySettings settings, RecordSink& sink)
    : talk_{talk},
      settings_{settings},
      sink_{sink},
      expected_(talk.packets.size() + 1),
      answer_of_(talk.packets.size() + 1) {
  for (Number n = 1; n <= talk.packets.size(); ++n) {
    const RecordedPacket& packet = recorded(n);
    if (packet.sender == Sender::client) continue;
    if (packet.answers != 0)
      answer_of_[packet.answers] = n;
    else if (!is_publish(packet))
      open_.insert(n);
    if (!is_publish(packet)) continue;
    ++messages_.recorded;
    open_messages_[{packet.topic, qos_of(packet)}].push_back(n);
  }
}

void Replay::begin(TimePoint now) { began_ = now; }

TimePoint Replay::due(TimePoint recorded_at) const {
  if (settings_.speed == 0) return began_;
  const auto since = std::chrono::duration<double, std::nano>(recorded_at - talk_.packets.front().time);
  return began_ + std::chrono::duration_cast<mqtt::Duration>(since / settings_.speed);
}

/// The client's last packet says goodbye: who ends the connection behind it is of no interest.
bool Replay::is_last_word() const {
  const auto last = std::ranges::find(talk_.packets.rbegin(), talk_.packets.rend(), Sender::client,
                                      &RecordedPacket::sender);
  return type_of(*last) == PacketType::disconnect;
}

/// The first answer that has to come before the recorded packet `end`. Messages are no answers, and what
/// follows one that has not come cannot come either.
std::optional<Replay::Number> Replay::awaited_before(Number end) const {
  return open_.empty() || *open_.begin() >= end ? std::nullopt : std::optional{*open_.begin()};
}

/// Whether an answer is still to be waited for before the next step; not for ever.
bool Replay::waits(TimePoint now) {
  if (!awaited_before(at_)) return waits_until_.reset(), false;
  if (!waits_until_) waits_until_ = now + settings_.patience;
  wake_ = waits_until_;
  if (now < *waits_until_) return true;
  waits_until_.reset();
  give_up_awaited(now);
  return false;
}

void Replay::give_up_awaited(TimePoint now) {
  while (const auto awaited = awaited_before(at_)) {
    open_.erase(*awaited);
    const auto type = mqtt::to_string(type_of(recorded(*awaited)));
    tell({.number = *awaited, .type = type, .what = "missing", .recorded = type, .replayed = "nothing"}, now);
  }
}

std::optional<std::string> Replay::next(TimePoint now) {
  sending_.reset();
  if (over_) return std::nullopt;
  if (!replies_.empty()) {
    std::string reply = std::move(replies_.front());
    replies_.pop_front();
    return reply;
  }
  if (!released_.empty()) {
    const Number number = released_.front();
    released_.pop_front();
    return send(number);
  }
  return step(now);
}

std::optional<std::string> Replay::step(TimePoint now) {
  wake_.reset();
  for (; at_ <= talk_.packets.size(); ++at_) {
    const RecordedPacket& packet = recorded(at_);
    if (packet.sender == Sender::server) continue;
    if (waits(now)) return std::nullopt;
    if (const TimePoint when = due(packet.time); now < when) return wake_ = when, std::nullopt;
    const bool to_message = packet.answers != 0 && answers_message(packet);
    if (to_message && !expected_[packet.answers].come) {
      parked_[packet.answers] = at_;
      continue;
    }
    return send(at_++);
  }
  end_when_due(now);
  return std::nullopt;
}

std::optional<std::string> Replay::send(Number number) {
  const RecordedPacket& packet = recorded(number);
  std::string bytes = packet.bytes;
  if (packet.answers != 0 && answers_message(packet)) put_id(bytes, expected_[packet.answers].id);
  sending_ = number;
  if (const Number answer = answer_of_[number]; answer != 0 && !is_publish(recorded(answer)))
    open_.insert(answer);
  return bytes;
}

/// All that the client said has been said. What it waited for before it left is waited for here.
void Replay::end_when_due(TimePoint now) {
  if (waits(now)) return;
  if (!finished_) finished_ = now;
  const bool server_closed = talk_.close && talk_.close->by == Sender::server;
  const bool client_closed = talk_.close && talk_.close->by == Sender::client;
  TimePoint until = *finished_;
  if (client_closed) until = std::max(until, due(talk_.close->time));
  if (messages_.come < messages_.recorded) until = std::max(until, *finished_ + messages_patience);
  if (server_closed && !is_last_word()) until = std::max(until, due(talk_.close->time) + settings_.patience);
  wake_ = until;
  if (now < until) return;
  over_ = true;
  if (server_closed && !is_last_word())
    tell({.type = "CLOSE", .what = "by", .recorded = "server", .replayed = "nobody"}, now);
}

mqtt::Deadline Replay::next_deadline() const { return over_ ? std::nullopt : wake_; }

void Replay::on_packet(const PacketRecord& record) {
  if (over_) return;
  link_ = record.link;
  if (record.packet.sender == Sender::client) return sent(record.packet.step.number);
  received(record);
}

void Replay::sent(std::uint64_t live) {
  if (sending_) sent_[live] = *sending_;
  sending_.reset();
}

void Replay::received(const PacketRecord& record) {
  const mqtt::FlowPacket& packet = record.packet;
  if (packet.packet && std::holds_alternative<mqtt::PublishView>(*packet.packet)) return message(record);
  if (const auto number = counterpart(packet)) return answer(record, *number);
  if (packet.answers) return acknowledge(packet);  // of what was not recorded
  tell({.live = packet.step.number,
        .type = mqtt::to_string(mq::spy::type_of(packet)),
        .what = "unexpected",
        .recorded = "nothing",
        .replayed = mqtt::to_string(mq::spy::type_of(packet))},
       packet.step.time);
}

/// The recorded packet of the server's that this one stands for: what answers the same packet, or, of what
/// answers none, the next of its type.
std::optional<Replay::Number> Replay::counterpart(const mqtt::FlowPacket& packet) const {
  if (packet.answers) {
    const auto found = sent_.find(packet.answers->number);
    const Number number = found == sent_.end() ? 0 : answer_of_[found->second];
    return number == 0 ? std::nullopt : std::optional{number};
  }
  const auto found = std::ranges::find_if(open_, [&](Number n) {
    return recorded(n).answers == 0 && type_of(recorded(n)) == mq::spy::type_of(packet);
  });
  return found == open_.end() ? std::nullopt : std::optional{*found};
}

void Replay::answer(const PacketRecord& record, Number number) {
  Expected& expected = expected_[number];
  expected.come = true;
  if (record.packet.packet) expected.id = id_of(*record.packet.packet);
  waits_until_.reset();
  if (open_.erase(number) > 0) compare(record.packet, number);
  if (const auto parked = parked_.extract(number)) released_.push_back(parked.mapped());
}

void Replay::message(const PacketRecord& record) {
  const auto& publish = std::get<mqtt::PublishView>(*record.packet.packet);
  const auto open = open_messages_.find({std::string{record.packet.topic}, mqtt::to_number(publish.qos)});
  if (open != open_messages_.end() && !open->second.empty()) {
    const Number number = open->second.front();
    open->second.pop_front();
    ++messages_.come;
    expected_[number] = {.come = true, .id = publish.packet_id};
    if (const auto parked = parked_.extract(number)) released_.push_back(parked.mapped());
    return;
  }
  ++messages_.others;
  acknowledge(record.packet);
}

/// Of a message that was not recorded: nobody else does.
void Replay::acknowledge(const mqtt::FlowPacket& packet) {
  if (!packet.packet) return;
  if (const auto* publish = std::get_if<mqtt::PublishView>(&*packet.packet)) {
    if (publish->qos == mqtt::QoS::at_most_once) return;
    const bool once = publish->qos == mqtt::QoS::at_least_once;
    replies_.push_back(acknowledgement(once ? PacketType::puback : PacketType::pubrec, publish->packet_id));
  }
  if (const auto* pubrel = std::get_if<mqtt::PubrelView>(&*packet.packet))
    replies_.push_back(acknowledgement(PacketType::pubcomp, pubrel->packet_id));
}

void Replay::on_ended(const Link& link, TimePoint now) {
  if (over_) return;
  link_ = link;
  give_up_awaited(now);
  const auto first = talk_.packets.begin() + static_cast<std::ptrdiff_t>(at_ - 1);
  const auto unsent = std::ranges::count(first, talk_.packets.end(), Sender::client, &RecordedPacket::sender);
  const bool by_server = talk_.close && talk_.close->by == Sender::server;
  const bool unknown = !talk_.close || !talk_.close->by;
  if (unsent > 0)
    tell({.type = "CLOSE",
          .what = "early",
          .recorded = by_server ? "server"
                      : unknown ? "nobody"
                                : "client",
          .replayed = fmt::format("server, before {} packets of the client", unsent)},
         now);
  else if (!by_server && !is_last_word())
    tell({.type = "CLOSE", .what = "by", .recorded = unknown ? "nobody" : "client", .replayed = "server"},
         now);
  over_ = true;
}

void Replay::compare(const mqtt::FlowPacket& packet, Number number) {
  const RecordedPacket& one = recorded(number);
  const auto was = mqtt::to_string(type_of(one)), is = mqtt::to_string(mq::spy::type_of(packet));
  const auto differs = [&](std::string_view what, std::string_view before, std::string_view now) {
    tell({number, packet.step.number, was, what, before, now}, packet.step.time);
  };
  if (was != is) return differs("type", was, is);
  const auto before = decode_recorded(one);
  if (!before || !packet.packet) {
    if (before.has_value() != packet.packet.has_value())
      differs("broken", before ? "no" : "yes", packet.packet ? "no" : "yes");
    return;
  }
  const auto old_facts = answer_facts(*before, one.version),
             new_facts = answer_facts(*packet.packet, packet.version);
  for (std::size_t i = 0; i < std::min(old_facts.size(), new_facts.size()); ++i)
    if (old_facts[i] != new_facts[i]) differs(old_facts[i].name, old_facts[i].value, new_facts[i].value);
}

void Replay::tell(const Told& told, TimePoint now) {
  ++differences_;
  sink_.on_difference({.link = link_,
                       .time = now,
                       .packet = told.live,
                       .recorded_packet = told.number,
                       .type = told.type,
                       .what = told.what,
                       .recorded = told.recorded,
                       .replayed = told.replayed});
}

}  // namespace mq::spy
