#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mqtt/broker/events.hpp>
#include <mqtt/server/server.hpp>

#include "common/diag.hpp"
#include "mqbroker/log_output.hpp"
#include "mqbroker/packet_trace.hpp"

namespace mq {

enum class LogDetail : std::uint8_t {
  plain,        ///< start, end, drops, what goes wrong
  connections,  ///< who comes and goes, subscriptions
  packets,      ///< each packet
};

/// What happens in the broker, as lines on stderr.
class BrokerLog final : public mqtt::broker::BrokerEvents, public mqtt::server::ServerEvents {
 public:
  /// `traced`: whose packets are shown at any detail.
  BrokerLog(const LogSettings& settings, LogDetail detail, std::vector<std::string> traced, int fd = 2);

  void started(const std::vector<std::string>& urls, std::size_t connections_max);
  /// `place` is "127.0.0.1:9400".
  void serving_pages(const std::string& place);
  /// Why its connections cannot be accepted for now.
  void pages_fault(const mqtt::Error& error);
  void stopping(int signal_number);
  /// Packets are shown of connections that begin from now on.
  void set_detail(LogDetail detail);
  void reloaded();
  /// `why` is a finished sentence.
  void reload_failed(const std::string& why);
  void statistics(const mqtt::broker::Counters& counters, const mqtt::server::ServerCounters& server);
  void local_fault(const mqtt::Error& error);
  /// For what has lines of its own in the same log.
  [[nodiscard]] Diag& diag() { return diag_; }

  // BrokerEvents
  bool wants_messages() const override { return false; }
  void on_connected(const mqtt::broker::Identity& client, mqtt::Version version,
                    bool session_present) override;
  void on_refused(const mqtt::broker::ConnectionInfo& connection, const mqtt::CloseInfo& info) override;
  void on_disconnected(const mqtt::broker::Identity& client, const mqtt::CloseInfo* info) override;
  void on_subscribed(const mqtt::broker::Identity& client, std::string_view filter,
                     mqtt::ReasonCode code) override;
  void on_unsubscribed(const mqtt::broker::Identity& client, std::string_view filter) override;
  void on_session_ended(std::string_view client_id) override;
  void on_dropped(std::string_view client_id, mqtt::broker::DropReason reason, std::uint64_t count) override;

  // ServerEvents
  void on_opened(mqtt::broker::Connection& connection) override;
  void on_closed(const mqtt::broker::Connection& connection) override;
  void on_turned_away(std::string_view listener, const mqtt::Error& why, std::uint64_t count) override;
  void on_store_failed(const mqtt::Error& error) override;
  void on_store_recovered() override;

 private:
  [[nodiscard]] Diag make_diag(LogDetail detail);

  const LogSettings settings_;
  const int fd_;
  LogOutput output_;
  LogDetail detail_;
  Diag diag_;
  const TraceSubjects traced_;
  std::unordered_map<const mqtt::broker::Connection*, PacketTrace> traces_;
};

/// Why a connection came to its end, in a few words: "Session taken over (0x8E)".
[[nodiscard]] std::string describe_close(const mqtt::CloseInfo& info);

}  // namespace mq
