#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <mqtt/session/client_session.hpp>
#include <mqtt/session/server_session.hpp>

#include "packet_text.hpp"

namespace mqtt::test {

/// What a transcript's "config" line says.
struct SubjectConfig {
  AckMode ack_mode = AckMode::automatic;
  AliasPolicy alias_policy = AliasPolicy::none;
  std::optional<std::uint16_t> window;
  PacketId first_packet_id = 1;
  std::size_t held_input_max = 64 * 1024;
  std::uint16_t outgoing_aliases_max = 65'535;
  bool enforce_receive_maximum = true;
  std::string mechanism;  ///< "fixed=METHOD:DATA", "scram=USER:PASSWORD:NONCE", or none
};

/// The session that a transcript drives, whichever its role. Handler calls become lines of text.
class Subject {
 public:
  virtual ~Subject() = default;

  /// A line that asks the session for something, by its first word; false if there is no such word.
  virtual bool command(const std::string& verb, const std::string& rest, TimePoint now,
                       Result<void>& result) = 0;
  virtual void receive(TimePoint now, Bytes bytes) = 0;
  virtual void on_time(TimePoint now) = 0;
  virtual void close(TimePoint now) = 0;

  [[nodiscard]] virtual OutBuffer& output() = 0;
  [[nodiscard]] virtual Deadline next_deadline() const = 0;
  [[nodiscard]] virtual const CloseInfo* close_info() const = 0;
  /// "quota", "in_flight", "unacked" …; nothing for an unknown name.
  [[nodiscard]] virtual std::optional<std::string> look(const std::string& name) const = 0;

  std::deque<std::string> events;
};

[[nodiscard]] std::unique_ptr<Subject> make_client(Version version, const SubjectConfig& config);
[[nodiscard]] std::unique_ptr<Subject> make_server(Version version, const SubjectConfig& config,
                                                   TimePoint now);

}  // namespace mqtt::test
