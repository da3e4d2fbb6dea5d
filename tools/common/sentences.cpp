#include "common/sentences.hpp"

#include <fmt/format.h>

#include <mqtt/util/text.hpp>

#include "common/hints.hpp"
#include "common/spelling.hpp"

namespace mq {
namespace {

using mqtt::Ending;
using mqtt::PacketType;
using mqtt::ReasonCode;

std::string with_detail(std::string text, std::string_view detail) {
  if (!detail.empty()) text += fmt::format(": {}", detail);
  return text;
}

/// The peer's own words behind the code, as far as there are any.
std::string with_peer_words(std::string text, const mqtt::CloseInfo& close) {
  text = with_detail(std::move(text), close.reason_string);
  if (!close.server_reference.empty()) text += fmt::format("; it refers to {}", close.server_reference);
  return text;
}

std::string_view reason_string(mqtt::PropertiesView properties) {
  return properties.text(mqtt::PropertyId::reason_string).value_or(std::string_view{});
}

std::string refusal(const mqtt::CloseInfo& close, const Where& where) {
  const bool has_return_code = close.return_code != mqtt::ConnectReturnCode::accepted;
  const std::string why = has_return_code ? fmt::format("{} (return code {})", to_string(close.return_code),
                                                        static_cast<int>(close.return_code))
                                          : name_and_code(close.code, PacketType::connack);
  return with_peer_words(fmt::format("{} refused the connection: {}", where.name, why), close);
}

std::string protocol_error(const Ending& ending, const Where& where) {
  if (!ending.close.error) return fmt::format("{} broke the protocol", where.name);
  switch (guess_peer(ending.first_bytes)) {
    case PeerKind::http: return fmt::format("{} answered in HTTP, not in MQTT", where.name);
    case PeerKind::tls: return fmt::format("{} answered in TLS, not in plain MQTT", where.name);
    case PeerKind::unknown: break;
  }
  return describe(*ending.close.error);
}

std::string lost(const Ending& ending, const Where& where) {
  if (ending.was_connected)
    return with_detail(fmt::format("connection to {} lost", where.name), ending.error.context);
  return with_detail(fmt::format("cannot connect to {}: no answer to CONNECT", where.name),
                     ending.error.context);
}

std::string text_for(const Ending& ending, const Where& where) {
  using enum Ending::Kind;
  switch (ending.kind) {
    case finished: break;
    case bad_options: return fmt::format("cannot connect: {}", ending.error.context);
    case open_failed: return fmt::format("cannot connect to {}: {}", where.name, ending.error.context);
    case refused: return refusal(ending.close, where);
    case connack_timeout:
      return fmt::format("cannot connect to {}: no answer to CONNECT within the connect timeout", where.name);
    case peer_disconnect:
      return with_peer_words(fmt::format("{} ended the connection: {}", where.name,
                                         name_and_code(ending.close.code, PacketType::disconnect)),
                             ending.close);
    case protocol_error: return mq::protocol_error(ending, where);
    case ping_timeout: return fmt::format("connection to {} lost: no answer to PINGREQ", where.name);
    case auth_timeout: return fmt::format("connection to {} lost: no answer to AUTH", where.name);
    case authentication_failed:
      return fmt::format("{} {}: {}", ending.was_connected ? "left" : "cannot connect to", where.name,
                         ending.error.context);
    case connection_lost: return lost(ending, where);
  }
  return fmt::format("disconnected from {}", where.name);
}

}  // namespace

std::string name_and_code(ReasonCode code, PacketType type) {
  return fmt::format("{} (0x{:02X})", mqtt::reason_name(code, type), static_cast<unsigned>(code));
}

PeerKind guess_peer(std::string_view first_bytes) {
  if (first_bytes.starts_with("HTTP/")) return PeerKind::http;
  // A TLS record: alert or handshake, then version 3.x (RFC 8446, 5.1).
  constexpr char alert = 21, handshake = 22, major_version = 3;
  const bool record = first_bytes.size() >= 2 && (first_bytes[0] == alert || first_bytes[0] == handshake);
  return record && first_bytes[1] == major_version ? PeerKind::tls : PeerKind::unknown;
}

Sentence describe(const Ending& ending, const Where& where) {
  return {text_for(ending, where), hint_for(ending, where)};
}

Sentence describe_retry(const Ending& ending, const Where& where, mqtt::Duration delay) {
  // The back-off is random: nobody wants to read its nanoseconds.
  const auto rounded = std::chrono::round<std::chrono::milliseconds>(delay);
  const bool elsewhere =
      ending.close.code == ReasonCode::server_moved || ending.close.code == ReasonCode::use_another_server;
  return {fmt::format("{}; next attempt {}in {}", text_for(ending, where), elsewhere ? "there " : "",
                      mqtt::format_duration(rounded)),
          elsewhere ? std::string{} : hint_for(ending, where)};
}

Sentence renewal_failed(const mqtt::Error& error, mqtt::Duration delay) {
  const auto rounded = std::chrono::round<std::chrono::milliseconds>(delay);
  return fmt::format("cannot renew the token: {}; next attempt in {}", error.context,
                     mqtt::format_duration(rounded));
}

std::string describe(const mqtt::DecodeError& error) {
  const bool malformed = error.reason == ReasonCode::malformed_packet;
  std::string text =
      fmt::format("{} from the server: {}", malformed ? "malformed packet" : "protocol error", error.what);
  if (!error.clause.empty()) text += fmt::format(" [{}]", error.clause);
  return text + fmt::format(" at byte {}", error.offset);
}

Sentence subscription_refused(std::string_view filter, ReasonCode code, mqtt::PropertiesView properties) {
  return {with_detail(fmt::format("subscription to '{}' refused: {}", elided(filter),
                                  name_and_code(code, PacketType::suback)),
                      reason_string(properties)),
          hint_for_subscription(code)};
}

Sentence publish_rejected(std::string_view topic, ReasonCode code, mqtt::PropertiesView properties) {
  return {with_detail(fmt::format("message to '{}' rejected: {}", elided(topic),
                                  name_and_code(code, PacketType::puback)),
                      reason_string(properties)),
          hint_for_publish(code)};
}

Sentence cannot_publish(std::string_view topic, const mqtt::Error& error) {
  return fmt::format("cannot publish to '{}': {}", elided(topic), error.context);
}

Sentence cannot_subscribe(std::string_view filter, const mqtt::Error& error) {
  return fmt::format("cannot subscribe to '{}': {}", elided(filter), error.context);
}

Sentence deadline_reached(mqtt::Duration deadline, std::string_view progress) {
  return fmt::format("deadline of {} reached: {}", mqtt::format_duration(deadline), progress);
}

Sentence output_blocked(std::size_t bytes) {
  return fmt::format("standard output is blocked: {} bytes of received messages were not written", bytes);
}

Sentence local_io_failed(const mqtt::Error& error) { return error.context; }

}  // namespace mq
