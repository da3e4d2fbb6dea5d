#include "mqspy/connections.hpp"

#include <cstring>

#include <fmt/format.h>

namespace mq::spy {

using mqtt::FlowClose;
using mqtt::TimePoint;

/// One TCP connection, or the exported packets of one.
class Connections::Connection {
 public:
  Connection(Connections& owner, const NetEnd& first, const NetEnd& second)
      : owner_{owner},
        first_{first},
        content_{owner.recorder_, owner.account_.tls_connections, first, second} {}

  [[nodiscard]] unsigned side_of(const NetEnd& from) const { return from == first_ ? 0 : 1; }

  /// A new connection between the same ends, and not the first segment of this one again.
  [[nodiscard]] bool is_new(const TcpSegment& s) const {
    if (!s.syn || s.ack) return false;
    return closed_ || !syn_ || *syn_ != s.sequence;
  }

  void segment(const TcpSegment& s) {
    if (closed_) return;
    const unsigned side = side_of(s.from);
    const std::size_t waited = waiting();
    if (s.syn) begin(side, s);
    if (s.ack) order_[1 - side].acknowledge(1 - side, s.time, s.acknowledged, content_);
    if (!s.payload.empty() || s.fin) order_[side].add(side, s, content_);
    if (s.fin && !by_) by_ = side, ended_at_ = s.time;
    if (s.rst) {
      if (!by_) by_ = side, ended_at_ = s.time;
      how_ = FlowClose::How::reset;
      close(s.time);
    } else if (order_[0].ended() && order_[1].ended()) {
      close(s.time);
    }
    owner_.waiting_bytes_ += waiting() - waited;
  }

  void pdu(const ExportedPdu& pdu) {
    content_.exported();
    content_.on_bytes(side_of(pdu.from), pdu.time, pdu.payload);
    if (pdu.left_out > 0) content_.on_left_out(side_of(pdu.from), pdu.time, pdu.left_out);
  }

  /// It ends, or nobody looks at it any more.
  void close(TimePoint now) {
    if (closed_) return;
    closed_ = true;
    for (const unsigned side : {0U, 1U}) order_[side].finish(side, now, content_);
    content_.close(by_, by_ ? how_ : FlowClose::How::unknown, by_ ? ended_at_ : now);
  }

  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] bool is_mqtt() const { return content_.is_mqtt(); }
  [[nodiscard]] std::size_t waiting() const { return order_[0].waiting_bytes() + order_[1].waiting_bytes(); }

 private:
  void begin(unsigned side, const TcpSegment& s) {
    if (order_[side].began()) return;
    if (side == 0) syn_ = s.sequence;
    order_[side].begin(s.sequence + 1);
    content_.began_with_syn(s.ack ? 1 - side : side, s.time);
  }

  Connections& owner_;
  NetEnd first_;
  ConnectionContent content_;
  std::array<StreamOrder, 2> order_;
  std::optional<std::uint32_t> syn_;
  std::optional<unsigned> by_;
  FlowClose::How how_ = FlowClose::How::fin;
  TimePoint ended_at_{};
  bool closed_ = false;
};

Connections::Connections(Recorder& recorder, ConnectionsLimits limits)
    : recorder_{recorder}, limits_{limits} {}
Connections::~Connections() = default;

std::size_t Connections::KeyHash::operator()(const Key& key) const {
  std::uint64_t hash = 0x9E3779B97F4A7C15;
  for (const NetEnd* end : {&key.low, &key.high}) {
    std::uint64_t half[2];
    std::memcpy(half, end->address.data(), sizeof half);
    for (const std::uint64_t part : {half[0], half[1], std::uint64_t{end->port}})
      hash = (hash ^ part) * 0xFF51AFD7ED558CCD, hash ^= hash >> 32;
  }
  return hash;
}

Connections::Key Connections::key_of(const NetEnd& a, const NetEnd& b) {
  return a < b ? Key{a, b} : Key{b, a};
}

Connections::Connection* Connections::find(const Key& key) {
  if (last_ && *last_key_ == key) return last_;
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  last_key_ = &found->second->first;
  last_ = found->second->second.get();
  return last_;
}

Connections::Connection& Connections::add(const Key& key, const NetEnd& first, const NetEnd& second) {
  if (index_.size() >= limits_.connections_max) {
    const Key oldest = table_.front().first;
    if (!table_.front().second->closed()) ++account_.given_up;
    remove(oldest);
  }
  ++account_.connections;
  table_.emplace_back(key, std::make_unique<Connection>(*this, first, second));
  index_[key] = std::prev(table_.end());
  return *table_.back().second;
}

void Connections::remove(const Key& key) {
  const auto found = index_.find(key);
  Connection& connection = *found->second->second;
  waiting_bytes_ -= connection.waiting();
  connection.close(last_time_);
  if (connection.is_mqtt()) ++account_.mqtt_connections;
  last_ = nullptr;
  table_.erase(found->second);
  index_.erase(found);
}

void Connections::segment(const TcpSegment& s) {
  const Key key = key_of(s.from, s.to);
  Connection* connection = find(key);
  if (connection && connection->is_new(s)) {
    remove(key);
    connection = nullptr;
  }
  if (!connection) {
    if (!s.syn && s.payload.empty()) return;  // nothing to begin with
    connection = s.syn && s.ack ? &add(key, s.to, s.from) : &add(key, s.from, s.to);
  }
  connection->segment(s);
  if (waiting_bytes_ > limits_.waiting_max_bytes) {
    ++account_.given_up;
    remove(key);
  }
}

void Connections::pdu(const ExportedPdu& pdu) {
  const Key key = key_of(pdu.from, pdu.to);
  Connection* connection = find(key);
  if (!connection) connection = &add(key, pdu.from, pdu.to);
  connection->pdu(pdu);
}

void Connections::on_captured(const CapturedPacket& packet) {
  ++account_.packets;
  last_time_ = std::max(last_time_, packet.time);
  dissect_layers(dissected_, packet);
  look_at_dissected();
}

/// A fragment of a fragment is not looked at: nobody may send it (RFC 8200, 4.5).
void Connections::fragment(const IpFragment& fragment) {
  const auto whole = fragments_.add(fragment);
  account_.fragments = fragments_.left();
  if (!whole) return;
  const IpFragment of = fragment;
  dissect_payload(dissected_, of, whole->next, whole->bytes);
  if (dissected_.kind != Dissected::Kind::fragment) look_at_dissected();
}

void Connections::look_at_dissected() {
  switch (dissected_.kind) {
    case Dissected::Kind::tcp: return segment(dissected_.tcp);
    case Dissected::Kind::pdu: return pdu(dissected_.pdu);
    case Dissected::Kind::other: return;
    case Dissected::Kind::fragment: return fragment(dissected_.fragment);
    case Dissected::Kind::unknown_link: ++account_.unknown_link; return;
    case Dissected::Kind::damaged: ++account_.damaged; return;
  }
}

void Connections::finish() {
  while (!table_.empty()) remove(Key{table_.front().first});
}

}  // namespace mq::spy
