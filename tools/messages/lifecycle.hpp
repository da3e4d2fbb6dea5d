#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include <mqtt/client/client.hpp>

#include "common/diag.hpp"
#include "common/exit_code.hpp"
#include "messages/subscriber.hpp"

namespace mq {

/// What happens to the connection, as events: lines on stderr with --log-format json, and with --events also
/// among the data. As text only what a person must know is said.
class Lifecycle {
 public:
  /// Is told each event for --events: its name and its fields.
  using Mirror = std::function<void(std::string_view name, const Diag::Fields& fields)>;

  /// `diag` must outlive it.
  explicit Lifecycle(Diag& diag) : diag_{diag} {}

  void set_mirror(Mirror mirror) { mirror_ = std::move(mirror); }

  void connected(const Where& where, const mqtt::Client& client, const mqtt::ClientSession& session);
  void subscribed(std::span<const Granted> answers);
  void reconnecting(const mqtt::Ending& ending, const Where& where, mqtt::Duration delay);
  /// Not as asked: an error.
  void lost(const mqtt::Ending& ending, const Where& where);
  /// After our DISCONNECT.
  void disconnected(const Where& where);
  /// The last of all. `fields` are the tool's own.
  void summary(ExitCode code, const Diag::Fields& fields);

 private:
  void event(Severity severity, std::string_view name, const Sentence& sentence, const Diag::Fields& fields);
  /// Of what a person need not know.
  [[nodiscard]] Severity quiet() const;

  Diag& diag_;
  Mirror mirror_;
};

}  // namespace mq
