#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/loop.hpp>

#include "common/client_setup.hpp"
#include "mqbench/bench_client.hpp"
#include "mqbench/control.hpp"
#include "mqbench/measurements.hpp"
#include "mqbench/outages.hpp"
#include "mqbench/plan.hpp"
#include "mqbench/precise_timer.hpp"
#include "mqbench/schedule.hpp"

namespace mq::bench {

/// What the server said, of the last client that it accepted.
struct Agreed {
  mqtt::Version version = mqtt::Version::v5;
  std::size_t receive_maximum = 0;
  std::optional<std::size_t> window;  ///< of a publisher of QoS 1 or 2: the least of what we and it want
  std::uint32_t maximum_packet_size = 0;
  std::string peer;
  std::string tls_version;
  std::string tls_cipher;
};

/// A broker to one worker.
struct BrokerSetup {
  ClientSetup setup;
  Where where;
};

/// What is left of a worker when its thread has ended.
struct WorkerResult {
  Measurements measurements;
  std::vector<std::uint64_t>
      deliverable;                      ///< by stream, those of others 0; empty if it failed before the end
  mqtt::Duration cpu{};                 ///< of the thread, from the start until all was sent
  mqtt::Duration elapsed{};             ///< as long as that
  mqtt::Duration absent{};              ///< of that: it should have looked at the clock, and did not run
  mqtt::Duration unread{};              ///< of that: ticks in which it left bytes in a socket
  std::optional<SetupFailure> failure;  ///< the first
  PresenceLog presence;                 ///< of clients that nobody asked to leave
  Agreed agreed;
  mqtt::net::SegmentCounts segments;  ///< of its connections, from the start until all was sent
};

/// A thread's share of a run: every threads-th client, with a loop, a pool and histograms of its own.
class Worker final : private ClientOwner {
 public:
  /// Of each of the plan's brokers, what its clients are made from. All must outlive it.
  Worker(const Plan& plan, unsigned index, unsigned threads, std::vector<BrokerSetup> brokers,
         const Control& control);
  ~Worker();

  /// The whole run, in the thread that calls it.
  void run();

  [[nodiscard]] const Status& status() const { return status_; }
  /// What has gone wrong up to now, by reason; in any thread.
  [[nodiscard]] std::map<std::string, std::uint64_t> errors() const;
  /// What it has measured since the last call, second by second; in any thread.
  [[nodiscard]] SecondRecorder::Taken take_seconds() { return seconds_.take(); }
  /// After run().
  [[nodiscard]] const WorkerResult& result() const { return result_; }
  /// After run(): what a shared subscription's members have got here.
  [[nodiscard]] const SeenMessages& seen() const { return around_->seen; }
  /// After run(): adds what was lost, of what all workers have sent.
  void judge_losses(const std::vector<std::uint64_t>& deliverable);

 private:
  void on_ready() override;
  void on_filter_refused(const std::string& filter, mqtt::ReasonCode code) override;
  void on_cannot_publish(const std::string& topic, const mqtt::Error& error) override;
  void on_room(std::uint32_t publisher) override;
  void on_gone(const mqtt::Ending& ending, std::uint32_t client, bool asked_for) override;
  void on_away(const mqtt::Ending& ending) override;
  void on_still_away(const mqtt::Ending& ending, std::uint32_t client) override;
  void on_back() override;

  [[nodiscard]] ClientKinds client_kinds(const mqtt::ClientOptions& setup) const;
  [[nodiscard]] std::vector<ClientKinds> all_kinds() const;
  void make_clients();
  void tick();
  void note_absence();
  void note_unread();
  void connect_due();
  void bring_back_due();
  void pause_slow();
  void resume_slow();
  void begin();
  void note_agreed();
  [[nodiscard]] mqtt::net::SegmentCounts count_segments() const;
  [[nodiscard]] std::optional<std::size_t> window_in_effect() const;
  [[nodiscard]] bool flat_out_is_over() const;
  void pump();
  void pump_schedule();
  [[nodiscard]] mqtt::Duration spin_until_due();
  void pump_flat_out();
  void send_batch(BenchPublisher& publisher);
  void arm();
  void stop_publishing();
  void report();
  void report_errors();
  void close_account();
  void finish();
  void fail(SetupFailure failure);
  [[nodiscard]] SetupFailure failure_of(const mqtt::Ending& ending, std::uint32_t client) const;
  [[nodiscard]] BenchPublisher& publisher(std::uint32_t number) { return *publishers_[number / threads_]; }
  [[nodiscard]] std::uint64_t distinct() const;

  const Plan& plan_;
  unsigned index_;
  unsigned threads_;
  std::vector<BrokerSetup> brokers_;
  const Control& control_;
  Status status_;
  WorkerResult result_;
  SecondRecorder seconds_;
  mutable std::mutex errors_mutex_;
  std::map<std::string, std::uint64_t> errors_;

  // Of the thread.
  std::unique_ptr<mqtt::net::Loop> loop_;
  std::unique_ptr<Surroundings> around_;
  std::unique_ptr<PreciseTimer> due_timer_;
  std::unique_ptr<mqtt::net::Timer> tick_timer_;
  mqtt::Deadline tick_due_;
  std::unique_ptr<mqtt::net::TurnEnd> more_;
  std::vector<std::unique_ptr<BenchSubscriber>> subscribers_;
  std::vector<std::unique_ptr<BenchPublisher>> publishers_;
  std::vector<BenchClient*> clients_;  // in the order of connecting
  std::size_t begun_ = 0;              // of clients_
  std::uint32_t ready_ = 0;
  std::uint32_t gone_ = 0;
  std::uint32_t left_ = 0;    // of those, as they were to
  std::uint32_t lost_ = 0;    // connections that have broken, and were not made again
  std::uint32_t away_ = 0;    // of those begun: not connected yet, or for a while
  std::size_t returned_ = 0;  // of subscribers_
  mqtt::Deadline back_from_;  // when the first of them returned
  std::optional<std::pair<mqtt::Ending, std::uint32_t>> last_failed_;  // of those that try to come back
  bool slow_paused_ = false;
  DueQueue due_;
  std::vector<std::uint32_t> with_room_;  // publishers that wait for the next pump()
  mqtt::TimePoint opened_{};
  mqtt::TimePoint woken_{};  // by the schedule, last
  mqtt::Duration cpu_at_start_{};
  std::uint64_t unread_turns_ = 0;  // of the loop, up to the last tick
  mqtt::TimePoint ticked_{};
  mqtt::net::SegmentCounts segments_at_start_;
  bool started_ = false;
  bool stopped_ = false;
  bool finishing_ = false;
};

}  // namespace mq::bench
