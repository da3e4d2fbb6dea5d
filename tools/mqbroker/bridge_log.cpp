#include "mqbroker/bridge_log.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/spelling.hpp"

namespace mq {
namespace {

using mqtt::bridge::Way;

std::string_view version_word(mqtt::Version version) {
  return version == mqtt::Version::v5 ? "5.0" : "3.1.1";
}

/// Who was to have the message.
std::string_view receiver(Way way) { return way == Way::out ? "the remote server" : "this broker"; }

}  // namespace

void BridgeLog::tell(Severity severity, std::string_view event, Sentence sentence,
                     const Diag::Fields& fields) {
  sentence.text = fmt::format("bridge to {}: {}", where_.name, sentence.text);
  diag_.event(severity, event, sentence, [&](JsonWriter& json) {
    json.field("bridge", where_.name);
    if (fields) fields(json);
  });
}

void BridgeLog::on_bridged(mqtt::Version version, std::string_view peer, bool session_present) {
  tell(Severity::info, "bridged",
       fmt::format("connected to {}: MQTT {}, {}", peer, version_word(version),
                   session_present ? "session resumed" : "a new session"),
       [&](JsonWriter& json) {
         json.field("peer", peer);
         json.field("version", version_word(version));
         json.field("session_present", session_present);
       });
}

void BridgeLog::on_bridge_down(const mqtt::Ending& ending, mqtt::Duration delay) {
  tell(Severity::warning, "bridge_down", describe_retry(ending, where_, delay));
}

void BridgeLog::on_subscription_refused(std::string_view filter, mqtt::ReasonCode code) {
  tell(Severity::warning, "bridge_subscription_refused", subscription_refused(filter, code, {}),
       [&](JsonWriter& json) { json.field("filter", filter); });
}

void BridgeLog::on_inner_connection_lost(const mqtt::Ending& ending) {
  Sentence why = describe(ending, {.name = "this broker"});
  tell(Severity::warning, "bridge_down", std::move(why));
}

void BridgeLog::on_dropped(Way way, std::string_view topic, const mqtt::Error& why) {
  const std::uint64_t count = drops_.note(loop_.now());
  if (count == 0) return;
  tell(Severity::warning, "bridge_dropped",
       fmt::format("{} for {} dropped, the last one on {}: {}",
                   count == 1 ? "a message" : fmt::format("{} messages", count), receiver(way),
                   in_quotes(topic), why.context),
       [&](JsonWriter& json) {
         json.field("topic", topic);
         json.field("count", count);
       });
}

void BridgeLog::on_refused(Way way, mqtt::ReasonCode reason) {
  const std::uint64_t count = refusals_.note(loop_.now());
  if (count == 0) return;
  const std::string code = name_and_code(reason, mqtt::PacketType::puback);
  tell(Severity::warning, "bridge_refused",
       fmt::format("{} refused {}: {}", receiver(way),
                   count == 1 ? "a message" : fmt::format("{} messages", count), code),
       [&](JsonWriter& json) {
         json.field("reason", code);
         json.field("count", count);
       });
}

void BridgeLog::on_no_room(Way way) {
  tell(Severity::warning, "bridge_no_room",
       fmt::format("{} has no room now; nothing is lost, and it is tried again", receiver(way)));
}

}  // namespace mq
