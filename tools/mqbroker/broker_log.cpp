#include "mqbroker/broker_log.hpp"

#include <fmt/format.h>

#include <csignal>
#include <utility>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "mqbroker/broker_metrics.hpp"

namespace mq {
namespace {

using mqtt::broker::DropReason;
using mqtt::broker::Identity;

std::string_view version_name(mqtt::Version version) {
  switch (version) {
    case mqtt::Version::v3_1: return "3.1";
    case mqtt::Version::v3_1_1: return "3.1.1";
    case mqtt::Version::v5: break;
  }
  return "5.0";
}

/// "client 'c' (127.0.0.1:50312)"
std::string name_of(const Identity& client) {
  return fmt::format("client {} ({})", in_quotes(client.client_id), client.address);
}

/// Why, as the end of "3 messages for client 'c' were dropped: ...".
std::string_view reason_text(DropReason reason) {
  switch (reason) {
    case DropReason::queue_full: return "its queue is full";
    case DropReason::memory_full: return "the memory for all clients that do not keep up is full";
    case DropReason::expired: return "they expired in its queue";
    case DropReason::too_large: return "they exceed its Maximum Packet Size";
    case DropReason::not_authorized: return "it may not read them";
    case DropReason::offline: return "it is not connected, and they are QoS 0";
    case DropReason::session_ended: return "its session ended";
    case DropReason::no_member: return "it left a shared subscription that nobody else has";
    case DropReason::retained_full: return "there is no room for more retained messages";
    case DropReason::publish_refused: return "it may not publish them";
  }
  return "unknown";
}

/// Drops that a broker is expected to make say nothing of a fault.
bool is_expected(DropReason reason) {
  return reason == DropReason::expired || reason == DropReason::offline ||
         reason == DropReason::session_ended || reason == DropReason::no_member;
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

Diag::Fields fields_of(const Identity& client) {
  return [&client](JsonWriter& json) {
    json.field("client_id", client.client_id);
    if (client.user) json.field("user", *client.user);
    json.field("address", client.address);
  };
}

std::string describe_fault(const mqtt::DecodeError& error) {
  const bool malformed = error.reason == mqtt::ReasonCode::malformed_packet;
  std::string text = fmt::format("{}: {}", malformed ? "malformed packet" : "protocol error", error.what);
  if (!error.clause.empty()) text += fmt::format(" [{}]", error.clause);
  return text;
}

std::string lost_lines(const LogSettings& settings, std::uint64_t count) {
  const std::string sentence = counted(count, "line of the log was lost", "lines of the log were lost");
  std::string line;
  Diag diag{"mqbroker", settings};
  diag.set_writer([&line](std::string_view text) { line = text; });
  diag.event(Severity::error, "log_lost", sentence,
             [count](JsonWriter& json) { json.field("count", count); });
  return line;
}

}  // namespace

std::string describe_close(const mqtt::CloseInfo& info) {
  using enum mqtt::CloseReason;
  switch (info.reason) {
    case local_disconnect: return name_and_code(info.code, mqtt::PacketType::disconnect);
    case peer_disconnect:
      return fmt::format("the client said {}", name_and_code(info.code, mqtt::PacketType::disconnect));
    case refused: return name_and_code(info.code, mqtt::PacketType::connack);
    case protocol_error: return info.error ? describe_fault(*info.error) : "protocol error";
    case connect_timeout: return "no CONNECT in time";
    case keep_alive_timeout: return "silence for longer than its Keep Alive allows";
    case overload: return "more input than may wait for the answer to CONNECT";
    case connack_timeout:
    case auth_timeout:
    case authentication_failed:
    case ping_timeout: break;  // of clients only
  }
  return "no answer in time";
}

BrokerLog::BrokerLog(const LogSettings& settings, LogDetail detail, std::vector<std::string> traced, int fd)
    : settings_{settings},
      fd_{fd},
      output_{fd, [settings](std::uint64_t count) { return lost_lines(settings, count); }},
      detail_{detail},
      diag_{make_diag(detail)},
      traced_{std::move(traced)} {}

void BrokerLog::started(const std::vector<std::string>& urls, std::size_t connections_max) {
  for (const std::string& url : urls)
    diag_.event(Severity::info, "listening", fmt::format("listening on {}", mqtt::escape_for_terminal(url)),
                [&](JsonWriter& json) { json.field("url", url); });
  diag_.event(Severity::info, "started", fmt::format("ready for {} connections", connections_max),
              [&](JsonWriter& json) { json.field("max_connections", connections_max); });
}

void BrokerLog::serving_pages(const std::string& place) {
  const std::string url = fmt::format("http://{}/", place);
  diag_.event(Severity::info, "pages", fmt::format("status page at {}, metrics at {}metrics", url, url),
              [&](JsonWriter& json) { json.field("url", url); });
}

void BrokerLog::pages_fault(const mqtt::Error& error) { diag_.warning(error.context); }

void BrokerLog::stopping(int signal_number) {
  const std::string_view name = signal_number == SIGINT ? "SIGINT" : "SIGTERM";
  diag_.event(Severity::info, "stopping", fmt::format("{}: saying goodbye to the clients", name),
              [name](JsonWriter& json) { json.field("signal", name); });
}

Diag BrokerLog::make_diag(LogDetail detail) {
  LogSettings settings = settings_;
  settings.debug = detail == LogDetail::packets;
  Diag diag{"mqbroker", settings, Diag::system_clock, fd_};
  diag.set_writer([this](std::string_view line) { output_.write(line); });
  return diag;
}

void BrokerLog::set_detail(LogDetail detail) {
  if (detail == detail_) return;
  detail_ = detail;
  diag_ = make_diag(detail);
}

void BrokerLog::reloaded() {
  diag_.event(Severity::info, "reloaded",
              "SIGHUP: users, access rules, certificates and log level are read again");
}

void BrokerLog::reload_failed(const std::string& why) {
  diag_.event(Severity::error, "reload_failed", fmt::format("SIGHUP: nothing is changed: {}", why));
}

void BrokerLog::local_fault(const mqtt::Error& error) { diag_.error(local_io_failed(error)); }

void BrokerLog::statistics(const mqtt::broker::Counters& c, const mqtt::server::ServerCounters& server) {
  const std::string text = fmt::format(
      "{} connections, {} sessions, {} subscriptions, {} retained; {} messages received, {} sent, {} "
      "dropped, {} queued ({} bytes)",
      server.connections, c.sessions, c.subscriptions, c.retained_messages, c.messages_received,
      c.messages_sent, c.dropped_in_all(), c.queued_messages, c.queued_bytes);
  diag_.event(Severity::info, "statistics", text, [&](JsonWriter& json) { write_counters(json, c, server); });
}

void BrokerLog::on_connected(const Identity& client, mqtt::Version version, bool session_present) {
  if (detail_ == LogDetail::plain) return;
  std::string text = fmt::format("{} connected: MQTT {}", name_of(client), version_name(version));
  if (client.user) text += fmt::format(", user {}", in_quotes(*client.user));
  if (session_present) text += ", session resumed";
  diag_.event(Severity::info, "connected", text, [&](JsonWriter& json) {
    fields_of(client)(json);
    json.field("version", version_name(version));
    json.field("session_present", session_present);
  });
}

void BrokerLog::on_refused(const mqtt::broker::ConnectionInfo& connection, const mqtt::CloseInfo& info) {
  if (detail_ == LogDetail::plain) return;
  const std::string why = describe_close(info);
  diag_.event(Severity::info, "refused",
              fmt::format("connection from {} refused: {}", connection.address, why), [&](JsonWriter& json) {
                json.field("address", connection.address);
                json.field("listener", connection.listener);
                json.field("reason", why);
              });
}

void BrokerLog::on_disconnected(const Identity& client, const mqtt::CloseInfo* info) {
  if (detail_ == LogDetail::plain) return;
  const std::string why = info ? describe_close(*info) : "connection lost";
  diag_.event(Severity::info, "disconnected", fmt::format("{} disconnected: {}", name_of(client), why),
              [&](JsonWriter& json) {
                fields_of(client)(json);
                json.field("reason", why);
              });
}

void BrokerLog::on_subscribed(const Identity& client, std::string_view filter, mqtt::ReasonCode code) {
  if (detail_ == LogDetail::plain) return;
  const bool refused = mqtt::is_error(code);
  const std::string result = name_and_code(code, mqtt::PacketType::suback);
  diag_.event(Severity::info, refused ? "subscription_refused" : "subscribed",
              fmt::format("{} {} {}: {}", name_of(client), refused ? "may not subscribe to" : "subscribed to",
                          in_quotes(filter), result),
              [&](JsonWriter& json) {
                fields_of(client)(json);
                json.field("filter", filter);
                json.field("result", result);
              });
}

void BrokerLog::on_unsubscribed(const Identity& client, std::string_view filter) {
  if (detail_ == LogDetail::plain) return;
  diag_.event(Severity::info, "unsubscribed",
              fmt::format("{} unsubscribed from {}", name_of(client), in_quotes(filter)),
              [&](JsonWriter& json) {
                fields_of(client)(json);
                json.field("filter", filter);
              });
}

void BrokerLog::on_session_ended(std::string_view client_id) {
  if (detail_ == LogDetail::plain) return;
  diag_.event(Severity::info, "session_ended",
              fmt::format("session of client {} ended", in_quotes(client_id)),
              [&](JsonWriter& json) { json.field("client_id", client_id); });
}

void BrokerLog::on_dropped(std::string_view client_id, DropReason reason, std::uint64_t count) {
  if (is_expected(reason) && detail_ == LogDetail::plain) return;
  const bool of_publisher = reason == DropReason::retained_full || reason == DropReason::publish_refused;
  diag_.event(is_expected(reason) ? Severity::info : Severity::warning, "dropped",
              fmt::format("{} {} client {} dropped: {}", counted(count, "message", "messages"),
                          of_publisher ? "from" : "for", in_quotes(client_id), reason_text(reason)),
              [&](JsonWriter& json) {
                json.field("client_id", client_id);
                json.field("reason", to_string(reason));
                json.field("count", count);
              });
}

void BrokerLog::on_turned_away(std::string_view listener, const mqtt::Error& why, std::uint64_t count) {
  const std::string text =
      count == 1
          ? fmt::format("no connection through {}: {}", mqtt::escape_for_terminal(listener), why.context)
          : fmt::format("{} connections through {} did not come to be, the last one: {}", count,
                        mqtt::escape_for_terminal(listener), why.context);
  diag_.event(Severity::warning, "turned_away", text, [&](JsonWriter& json) {
    json.field("listener", listener);
    json.field("count", count);
  });
}

void BrokerLog::on_store_failed(const mqtt::Error& error) {
  diag_.event(Severity::error, "store_failed", error.context);
}

void BrokerLog::on_store_recovered() {
  diag_.event(Severity::info, "store_recovered", "the store works again");
}

void BrokerLog::on_opened(mqtt::broker::Connection& connection) {
  if (detail_ != LogDetail::packets && traced_.empty()) return;
  const auto [trace, added] = traces_.try_emplace(&connection, diag_, traced_, connection);
  connection.set_observer(trace->second);
}

void BrokerLog::on_closed(const mqtt::broker::Connection& connection) { traces_.erase(&connection); }

}  // namespace mq
