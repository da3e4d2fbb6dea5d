#include <mqtt/codec/decode_parts.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt {
namespace {

/// The bytes of Subscription Options (3.8.3.1).
constexpr std::uint8_t qos_bits = 0x03, no_local_bit = 0x04, retain_as_published_bit = 0x08,
                       reserved_bits = 0xC0;
constexpr unsigned retain_handling_shift = 4;

SubscriptionOptions options_of(std::uint8_t byte) {
  return {static_cast<QoS>(byte & qos_bits), (byte & no_local_bit) != 0,
          (byte & retain_as_published_bit) != 0,
          static_cast<RetainHandling>(byte >> retain_handling_shift & 3)};
}

std::uint8_t byte_of(SubscriptionOptions options) {
  return static_cast<std::uint8_t>(to_number(options.qos) | (options.no_local ? no_local_bit : 0) |
                                   (options.retain_as_published ? retain_as_published_bit : 0) |
                                   static_cast<unsigned>(options.retain_handling) << retain_handling_shift);
}

void append_filter(std::string& out, std::string_view filter) {
  out.push_back(static_cast<char>(filter.size() >> 8));
  out.push_back(static_cast<char>(filter.size() & 0xFF));
  out.append(filter);
}

}  // namespace

void SubscriptionsView::Iterator::read() {
  at_end_ = rest_.empty();
  if (at_end_) return;
  const std::size_t size = static_cast<std::size_t>(rest_[0]) << 8 | rest_[1];
  current_.filter = as_text(rest_.subspan(2, size));
  rest_ = rest_.subspan(2 + size);
  if (!with_options_) return;
  current_.options = options_of(rest_[0]);
  rest_ = rest_.subspan(1);
}

std::size_t SubscriptionsView::count() const {
  std::size_t count = 0;
  for (auto at = begin(); at != end(); ++at) ++count;
  return count;
}

void SubscriptionList::add(std::string_view filter, SubscriptionOptions options) {
  append_filter(encoded_, filter);
  encoded_.push_back(static_cast<char>(byte_of(options)));
}

void FilterList::add(std::string_view filter) { append_filter(encoded_, filter); }

namespace detail {
namespace {

void check_options(Reader& in, std::string_view filter, std::uint8_t byte, std::uint32_t at) {
  const auto malformed = ReasonCode::malformed_packet;
  const bool v5 = in.version() == Version::v5;
  in.require((byte & qos_bits) != 3, clauses::subscribe_qos_3, "requested QoS is 3",
             v5 ? ReasonCode::protocol_error : malformed, at);
  in.require((byte & (v5 ? reserved_bits : 0xFC)) == 0, clauses::subscribe_reserved_bits,
             "reserved subscription option bits are set", malformed, at);
  if (!v5) return;
  in.require((byte >> retain_handling_shift & 3) != 3, clauses::retain_handling_3, "Retain Handling is 3",
             ReasonCode::protocol_error, at);
  in.require(!((byte & no_local_bit) && filter.starts_with("$share/")), clauses::no_local_shared,
             "No Local on a shared subscription", ReasonCode::protocol_error, at);
}

/// A topic filter. Before 5.0 "$share/" has no meaning and may stand anywhere.
std::string_view read_filter(Reader& in) {
  const std::uint32_t at = in.offset();
  const std::size_t faults = in.faults();
  const std::string_view filter = in.utf8_string();
  if (!in.ok() || in.faults() != faults) return filter;
  const auto fault = find_topic_filter_error(filter);
  if (fault)
    in.fail(fault->clause, fault->what, ReasonCode::topic_filter_invalid,
            at + 2 + static_cast<std::uint32_t>(fault->offset));
  return filter;
}

/// All entries up to the packet's end; at least one. Of a broken list those in front.
SubscriptionsView read_list(Reader& in, Bytes body, std::uint32_t body_at, Clause empty_clause,
                            bool with_options) {
  const std::uint32_t at = in.offset();
  in.require(in.left() > 0, empty_clause, "request without a topic filter", ReasonCode::protocol_error, at);
  std::uint32_t whole = at;
  while (in.left() > 0) {
    const std::string_view filter = read_filter(in);
    const std::uint32_t options_at = in.offset();
    const std::uint8_t options = with_options ? in.byte() : 0;
    if (with_options && in.ok()) check_options(in, filter, options, options_at);
    if (in.ok()) whole = in.offset();
  }
  return {body.subspan(at - body_at, whole - at), with_options};
}

Bytes read_reasons(Reader& in, PacketType type, Clause clause, Clause empty_clause) {
  const std::uint32_t at = in.offset();
  in.require(in.left() > 0, empty_clause,
             type == PacketType::suback ? "SUBACK without a reason code" : "UNSUBACK without a reason code",
             ReasonCode::protocol_error, at);
  const Bytes reasons = in.rest();
  for (std::size_t i = 0; i < reasons.size() && in.ok(); ++i) {
    const auto code = static_cast<ReasonCode>(reasons[i]);
    // 3.1 has no failure code, but servers that serve both versions send 0x80 there too.
    const bool valid = in.version() == Version::v5 ? reason_allowed(code, type, Sender::server)
                                                   : reasons[i] <= 2 || reasons[i] == 0x80;
    in.require(valid, clause, "reason code does not belong in this packet", ReasonCode::protocol_error,
               at + static_cast<std::uint32_t>(i));
  }
  return reasons;
}

}  // namespace

Decoded<SubscribeView> decode_subscribe(const Frame& frame, const Task& task) {
  Reader in = reader_of(frame, task);
  SubscribeView subscribe;
  subscribe.packet_id = in.packet_id(clauses::request_packet_id);
  subscribe.properties = in.properties(PropertyPlace::subscribe, task.sender);
  subscribe.subscriptions = read_list(in, frame.body(), frame.header_size, clauses::subscribe_empty, true);
  return in.done(subscribe);
}

Decoded<SubackView> decode_suback(const Frame& frame, const Task& task) {
  Reader in = reader_of(frame, task);
  SubackView suback;
  suback.packet_id = in.packet_id(clauses::answer_packet_id);
  suback.properties = in.properties(PropertyPlace::suback, task.sender);
  suback.reasons = read_reasons(in, PacketType::suback, clauses::suback_reason, clauses::suback_empty);
  return in.done(suback);
}

Decoded<UnsubscribeView> decode_unsubscribe(const Frame& frame, const Task& task) {
  Reader in = reader_of(frame, task);
  UnsubscribeView unsubscribe;
  unsubscribe.packet_id = in.packet_id(clauses::request_packet_id);
  unsubscribe.properties = in.properties(PropertyPlace::unsubscribe, task.sender);
  unsubscribe.filters = read_list(in, frame.body(), frame.header_size, clauses::unsubscribe_empty, false);
  return in.done(unsubscribe);
}

Decoded<UnsubackView> decode_unsuback(const Frame& frame, const Task& task) {
  Reader in = reader_of(frame, task);
  UnsubackView unsuback;
  unsuback.packet_id = in.packet_id(clauses::answer_packet_id);
  if (task.version != Version::v5) return in.done(unsuback);
  unsuback.properties = in.properties(PropertyPlace::unsuback, task.sender);
  unsuback.reasons =
      read_reasons(in, PacketType::unsuback, clauses::unsuback_reason, clauses::unsuback_reason);
  return in.done(unsuback);
}

}  // namespace detail
}  // namespace mqtt
