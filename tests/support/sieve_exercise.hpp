#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/framer.hpp>
#include <mqtt/server/sieve.hpp>

#include "support/packets.hpp"

namespace mqtt::test {

/// A Sieve and PacketEnds on a stream in pieces, next to the packets that a Framer finds in the whole of it.
class SieveExercise {
 public:
  explicit SieveExercise(Bytes stream) : stream_{stream} {
    Framer framer;
    Bytes rest = stream;
    for (auto frame = framer.next(rest); frame && *frame; frame = framer.next(rest)) {
      packets_.push_back({whole_size_, (*frame)->bytes.size()});
      whole_size_ += (*frame)->bytes.size();
      if (is_message((*frame)->bytes)) ++messages_;
    }
    Framer again;
    rest = stream.subspan(whole_size_);
    lost_ = !again.next(rest).has_value();
  }

  /// Each piece has its size and the `kept_max` that holds while it is looked at.
  struct Cut {
    std::size_t size;
    std::size_t kept_max;
  };

  /// What was wrong first; nothing if all was right. What is behind the cuts comes in one piece.
  std::optional<std::string> run(std::span<const Cut> cuts, std::size_t last_kept_max) {
    for (const Cut& cut : cuts) feed(cut.size, cut.kept_max);
    feed(stream_.size() - fed_, last_kept_max);
    const std::vector<std::uint8_t> kept = sieve_.take_kept();
    check("what is kept is the rest", equal(kept, stream_.subspan(out_)));
    check("what was taken is not kept", sieve_.take_kept().empty());
    return fault_;
  }

  /// Whole plain messages in the stream, and those that came out as such.
  [[nodiscard]] std::size_t messages() const { return messages_; }
  [[nodiscard]] std::size_t messages_found() const { return messages_found_; }

  /// The same for PacketEnds, up to where the stream has packets.
  static std::optional<std::string> find_ends(Bytes stream, std::span<const Cut> cuts) {
    SieveExercise exercise{stream};
    if (exercise.lost_) exercise.stream_ = stream.first(exercise.whole_size_);
    for (const Cut& cut : cuts) exercise.look_for_ends(cut.size);
    exercise.look_for_ends(exercise.stream_.size());
    return exercise.fault_;
  }

 private:
  struct Packet {
    std::size_t begin;
    std::size_t size;
  };

  void check(const char* what, bool holds) {
    if (!holds && !fault_) fault_ = std::string{what} + " (byte " + std::to_string(out_) + ")";
  }

  [[nodiscard]] static Bytes body_of(Bytes packet) { return frame_of(packet).body(); }
  /// Of a PUBLISH, or of a part of one; nothing: it is not there, or not all of it, or empty.
  [[nodiscard]] static std::optional<std::string_view> topic_of(Bytes start) {
    if (start[0] >> 4 != 3) return std::nullopt;
    std::size_t header = 2;
    while (header <= start.size() && start[header - 1] & 0x80) ++header;
    if (start.size() < header + 2) return std::nullopt;
    const Bytes body = start.subspan(header);
    const std::size_t size = std::size_t{body[0]} * 256 + body[1];
    if (size == 0 || body.size() < 2 + size) return std::nullopt;
    return as_text(body.subspan(2, size));
  }
  /// A QoS 0 PUBLISH without flags whose topic is there.
  [[nodiscard]] static bool is_message(Bytes packet) {
    return packet[0] == 0x30 && topic_of(packet).has_value();
  }
  /// Which messages must not overtake what begins like this.
  [[nodiscard]] static server::Sieve::Order order_of(Bytes start) {
    if (topic_of(start)) return server::Sieve::Order::of_topic;
    for (const int first : {0x40, 0x50, 0x62, 0x70, 0xC0})
      if (start[0] == first) return server::Sieve::Order::none;
    return server::Sieve::Order::all;
  }

  /// Null: there is none that is whole.
  [[nodiscard]] const Packet* packet_at(std::size_t place) const {
    const auto behind = std::ranges::upper_bound(packets_, place, {}, &Packet::begin);
    return place < whole_size_ ? &*std::prev(behind) : nullptr;
  }

  void feed(std::size_t size, std::size_t kept_max) {
    // Memory of its own, so that a look beyond it shows.
    const Bytes part = stream_.subspan(fed_, std::min(size, stream_.size() - fed_));
    const std::vector<std::uint8_t> exact(part.begin(), part.end());
    fed_ += exact.size();
    Bytes input = exact;
    for (;;) {
      const server::Sieve::Piece piece = sieve_.next(input, kept_max);
      if (piece.kind == server::Sieve::Kind::nothing || fault_) break;
      look_at(piece, exact);
    }
    check("all of the input is used", input.empty());
    check("no more is kept than may be", may_keep(stream_.subspan(out_, fed_ - out_), kept_max));
  }

  void look_at(const server::Sieve::Piece& piece, Bytes input) {
    check("a piece has bytes", !piece.bytes.empty());
    check("no piece before it has come", out_ + piece.bytes.size() <= fed_);
    if (fault_) return;
    check("what comes out went in", equal(piece.bytes, stream_.subspan(out_, piece.bytes.size())));
    const bool inside =
        piece.bytes.data() >= input.data() && piece.bytes.data() < input.data() + input.size();
    check("a piece lies in the input, or is copied", inside != piece.copied);
    const bool is_message_piece = piece.kind == server::Sieve::Kind::message;
    const Packet* const packet = packet_at(out_);
    if (packet) {
      const bool begins = packet->begin == out_;
      const bool whole = begins && piece.bytes.size() == packet->size;
      check("a piece belongs to one packet", out_ + piece.bytes.size() <= packet->begin + packet->size);
      check("a whole message is one, and nothing else",
            is_message_piece == (whole && is_message(piece.bytes)));
      if (begins) check("what keeps its place", piece.order == order_of(piece.bytes));
      if (begins) check("its topic", piece.topic == topic_of(piece.bytes).value_or(std::string_view{}));
    } else {
      check("no message without a whole packet", !is_message_piece);
      if (lost_ && out_ > whole_size_)
        check("behind no packet all is in order", piece.order == server::Sieve::Order::all);
    }
    if (is_message_piece && !fault_) look_at_message(piece);
    out_ += piece.bytes.size();
  }

  /// As the decoder sees it, which refuses more.
  void look_at_message(const server::Sieve::Piece& piece) {
    ++messages_found_;
    const Bytes body = body_of(piece.bytes);
    check("topic and rest are all of the body",
          equal(as_bytes(piece.topic), body.subspan(2, piece.topic.size())) &&
              equal(piece.rest, body.subspan(2 + piece.topic.size())));
    for (const Version version : {Version::v3_1_1, Version::v5}) {
      const auto publish = decode_publish(frame_of(piece.bytes), {version, Sender::client});
      if (!publish) continue;
      check("QoS 0, no flag", publish->qos == QoS::at_most_once && !publish->dup && !publish->retain);
      check("the decoder's topic", publish->topic == piece.topic);
      const Bytes payload = publish->payload;
      check("the payload ends the rest",
            payload.size() <= piece.rest.size() && equal(payload, piece.rest.last(payload.size())));
      if (version == Version::v3_1_1) check("before 5.0 it is the rest", equal(payload, piece.rest));
      if (version == Version::v5 && !piece.rest.empty() && piece.rest[0] == 0)
        check("no properties", equal(payload, piece.rest.subspan(1)));
    }
  }

  [[nodiscard]] bool may_keep(Bytes held, std::size_t kept_max) const {
    std::size_t size = 0;
    for (std::size_t i = 1; i <= 4; ++i) {
      if (i >= held.size()) return true;  // nothing, or a cut header
      size += std::size_t{held[i] & 0x7Fu} << (7 * (i - 1));
      if (!(held[i] & 0x80)) return held[0] == 0x30 && size + i + 1 <= kept_max;
    }
    return false;
  }

  void look_for_ends(std::size_t size) {
    const Bytes part = stream_.subspan(out_, std::min(size, stream_.size() - out_));
    const std::vector<std::uint8_t> exact(part.begin(), part.end());
    for (Bytes rest = exact; !rest.empty() && !fault_;) {
      const std::size_t step = ends_.next(rest);
      const Packet* const packet = packet_at(out_);
      const std::size_t begin = packet ? packet->begin : whole_size_;
      const std::size_t end = packet ? begin + packet->size : stream_.size() + 1;
      check("a step goes to the end of the packet or of the piece",
            step == std::min(rest.size(), end - out_));
      check("at the end", ends_.at_end() == (out_ + step == end));
      check("the first byte", ends_.first_byte() == stream_[begin]);
      if (step == 0 || step > rest.size()) return;
      rest = rest.subspan(step);
      out_ += step;
    }
  }

  Bytes stream_;
  std::vector<Packet> packets_;  // the whole ones
  std::size_t whole_size_ = 0;   // of all of these
  std::size_t messages_ = 0;
  bool lost_ = false;  // behind them there is none
  server::Sieve sieve_;
  server::PacketEnds ends_;
  std::size_t fed_ = 0;
  std::size_t out_ = 0;
  std::size_t messages_found_ = 0;
  std::optional<std::string> fault_;
};

}  // namespace mqtt::test
