#include "messages/lifecycle.hpp"

#include <fmt/format.h>

#include <mqtt/util/text.hpp>

namespace mq {
namespace {

double in_seconds(mqtt::Duration duration) { return std::chrono::duration<double>{duration}.count(); }

void add_where(JsonWriter& json, const Where& where) {
  json.key("broker");
  json.text_or_base64(mqtt::as_bytes(where.name));  // a path may hold anything
  json.field("client_id", where.client_id);
}

}  // namespace

Severity Lifecycle::quiet() const {
  return diag_.settings().format == LogFormat::json ? Severity::info : Severity::debug;
}

void Lifecycle::event(Severity severity, std::string_view name, const Sentence& sentence,
                      const Diag::Fields& fields) {
  diag_.event(severity, name, sentence, fields);
  if (mirror_) mirror_(name, fields);
}

void Lifecycle::connected(const Where& where, const mqtt::Client& client,
                          const mqtt::ClientSession& session) {
  event(quiet(), "connected", fmt::format("connected to {}", where.name), [&](JsonWriter& json) {
    add_where(json, where);
    json.field("address", client.peer());
    json.field("version", to_string(where.version));
    json.field("session_present", session.limits().session_present);
  });
}

void Lifecycle::subscribed(std::span<const Granted> answers) {
  event(quiet(), "subscribed", "subscribed", [&](JsonWriter& json) {
    json.key("subscriptions");
    json.begin_array();
    for (const Granted& each : answers) {
      json.begin_object();
      json.field("filter", each.filter);
      json.field("code", static_cast<std::uint8_t>(each.code));
      json.end_object();
    }
    json.end_array();
  });
}

void Lifecycle::reconnecting(const mqtt::Ending& ending, const Where& where, mqtt::Duration delay) {
  event(Severity::warning, "reconnecting", describe_retry(ending, where, delay), [&](JsonWriter& json) {
    add_where(json, where);
    json.field("delay", in_seconds(delay));
  });
}

void Lifecycle::lost(const mqtt::Ending& ending, const Where& where) {
  const Sentence sentence = describe(ending, where);
  event(Severity::error, "disconnected", sentence, [&](JsonWriter& json) {
    add_where(json, where);
    json.field("exit", to_string(exit_code_for(ending)));
  });
}

void Lifecycle::disconnected(const Where& where) {
  event(quiet(), "disconnected", fmt::format("disconnected from {}", where.name),
        [&](JsonWriter& json) { add_where(json, where); });
}

void Lifecycle::summary(ExitCode code, const Diag::Fields& fields) {
  event(quiet(), "summary", fmt::format("ended: {}", to_string(code)), [&](JsonWriter& json) {
    json.field("exit_code", to_int(code));
    json.field("exit", to_string(code));
    if (fields) fields(json);
  });
}

}  // namespace mq
