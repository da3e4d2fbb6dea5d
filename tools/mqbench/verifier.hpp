#pragma once
#include <array>
#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include <mqtt/net/loop.hpp>

#include "common/client_setup.hpp"
#include "common/diag.hpp"
#include "common/signals.hpp"
#include "mqbench/verify_client.hpp"
#include "mqbench/verify_result.hpp"

namespace mq::bench {

/// One verification, in one thread: connects all, publishes by a schedule while it breaks connections, lets
/// every client come back, waits for what is still to come, and ends the sessions that it made.
class Verifier {
 public:
  /// What each client is made from is `setup`, of a `connection` that reconnects. All must outlive it.
  Verifier(const VerifyScenario& scenario, const ConnectionConfig& connection, const ClientSetup& setup,
           std::uint32_t run, Diag& diag);

  /// Nothing if it did not come to its start. Why has been said then.
  [[nodiscard]] std::expected<VerifyResult, ExitCode> run();
  /// The signal that ended it; 0 if none has.
  [[nodiscard]] int stop_signal() const { return signals_.stop_signal(); }
  /// After run(): what ended a client for good before its time, which has been said.
  [[nodiscard]] std::optional<ExitCode> failure() const;

 private:
  enum class State : std::uint8_t {
    connecting,
    publishing,  ///< all but the last message of each publisher, under faults
    settling,    ///< no more faults: until every client is back, and the last messages are sent
    draining,    ///< until everything has come
    leaving,
  };

  void make_clients();
  [[nodiscard]] mqtt::ClientOptions options_for(const std::string& client_id) const;
  void tick();
  void connect_some();
  void publish_due();
  void break_some();
  void settle();
  void drain();
  void leave();
  void enter(State state);
  void on_stop();
  void show_progress();
  [[nodiscard]] bool all_well() const;
  [[nodiscard]] bool all_ended() const;
  [[nodiscard]] bool complete() const;
  [[nodiscard]] bool stuck();
  [[nodiscard]] std::optional<SetupFailure> find_failure() const;
  [[nodiscard]] std::uint64_t limit_of(const VerifyPublisher& publisher) const;
  [[nodiscard]] std::uint64_t delivered() const;
  [[nodiscard]] VerifyResult add_up() const;
  void add_streams(VerifyResult& result, const VerifySubscriber& subscriber) const;

  const VerifyScenario& scenario_;
  const ConnectionConfig& connection_;
  const ClientSetup& setup_;
  Diag& diag_;
  mqtt::net::Loop loop_;
  Signals signals_;
  mqtt::net::Timer timer_;
  VerifyGround ground_;
  FaultDice dice_;
  std::vector<std::unique_ptr<VerifySubscriber>> subscribers_;
  std::vector<std::unique_ptr<VerifyPublisher>> publishers_;
  std::vector<VerifyClient*> clients_;  // in the order of connecting
  std::size_t begun_ = 0;               // of clients_
  State state_ = State::connecting;
  mqtt::TimePoint opened_{};
  mqtt::TimePoint start_{};
  mqtt::TimePoint next_fault_{};
  mqtt::TimePoint progress_at_{};
  mqtt::TimePoint moved_at_{};  // when something last went on
  mqtt::TimePoint entered_at_{};
  std::uint64_t moved_ = 0;
  std::vector<std::uint64_t> stopped_at_;  // by publisher, after a signal
  std::array<std::uint64_t, fault_kinds> faults_{};
  std::optional<SetupFailure> failure_;
  WallTime started_;
  WallTime ended_;
};

}  // namespace mq::bench
