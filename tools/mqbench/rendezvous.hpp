#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mqtt/util/time.hpp>

#include "common/exit_code.hpp"
#include "mqbench/clock_offset.hpp"
#include "mqbench/rendezvous_message.hpp"
#include "mqbench/shard.hpp"

namespace mq::bench {

/// How far a shard is; or all of them together.
struct Progress {
  std::uint64_t sent = 0;
  std::uint64_t expected = 0;  ///< deliveries of what was sent, over all shards' subscribers
  std::uint64_t distinct = 0;  ///< different messages that came
  bool all_sent = false;
};

struct RendezvousConfig {
  Shard shard;
  std::string name;              ///< of the run, the same for all shards
  std::uint64_t nonce = 0;       ///< at random: tells this process from others that are given the same shard
  std::uint32_t run = 0;         ///< at random; the leader's becomes that of all
  std::uint64_t scenario = 0;    ///< a hash of what must be the same for all
  std::uint32_t publishers = 0;  ///< of all shards
  std::uint32_t streams = 0;     ///< theirs: stream n is that of publisher n modulo publishers
  mqtt::Duration patience = std::chrono::seconds{60};  ///< until all have come
  mqtt::Duration to_time_of_day{};                     ///< from the monotonic clock
};

struct RendezvousFailure {
  ExitCode code = ExitCode::connection_lost;
  std::string what;
};

/// How the shards of a run become one: all wait for all, agree on a run id and, by the leader's clock, on a
/// common start; stop together; and tell each other at the end what each stream has sent. The first shard
/// leads. It does no I/O: the owner passes in what came and the time, publishes what take_output() gives, and
/// wakes it at next_deadline().
class Rendezvous {
 public:
  using Kind = RendezvousMessage::Kind;

  struct Outgoing {
    std::optional<std::uint32_t> to;  ///< nullopt: all
    std::string text;
    bool probe = false;  ///< of a clock: worthless if it is late
  };

  /// Of one exchange; the shortest of these many is the one that counts.
  static constexpr std::uint32_t clock_samples = 32;

  explicit Rendezvous(RendezvousConfig config);

  /// From now on the meeting place is awaited.
  void await(mqtt::TimePoint now);
  /// Connected and subscribed: it begins.
  void open(mqtt::TimePoint now);
  void receive(mqtt::TimePoint now, std::string_view text);
  void on_time(mqtt::TimePoint now);
  [[nodiscard]] mqtt::Deadline next_deadline() const;
  [[nodiscard]] std::vector<Outgoing> take_output() { return std::exchange(output_, {}); }
  /// What is published for us when the connection is lost.
  [[nodiscard]] Outgoing last_words() const;

  /// This shard's clients are connected and subscribed.
  void ready(mqtt::TimePoint now);
  /// How far this shard is; as often as one likes.
  void report(mqtt::TimePoint now, const Progress& own);
  /// Nobody is to publish any more.
  void stop();
  /// The leader's word: the run is over.
  void finish();
  /// What this shard's streams have sent, by stream; those of others are not read.
  void settle(mqtt::TimePoint now, const std::vector<std::uint64_t>& sent);
  /// The transport has failed, or somebody has given up.
  void fail(RendezvousFailure failure);

  [[nodiscard]] bool leads() const { return config_.shard.index == 0; }
  /// How many shards have come, as far as this one knows: all, but those that the first one misses.
  [[nodiscard]] std::uint32_t present() const;
  /// The agreed run id, once all have come.
  [[nodiscard]] std::optional<std::uint32_t> run() const;
  /// The common start by our own clock, once it is known.
  [[nodiscard]] mqtt::Deadline start() const { return start_; }
  /// The same by the leader's time of day, since 1970.
  [[nodiscard]] mqtt::Duration wall_start() const { return wall_start_; }
  [[nodiscard]] bool stop_asked() const { return stop_asked_; }
  [[nodiscard]] bool finish_asked() const { return finish_asked_; }
  [[nodiscard]] bool over() const { return phase_ == Phase::over; }
  [[nodiscard]] const std::optional<RendezvousFailure>& failure() const { return failure_; }
  /// Of all shards as far as they have told; only the leader knows.
  [[nodiscard]] Progress total() const;
  /// By stream, of all shards once it is over().
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }
  /// To the leader's clock. Once it is over() the error covers the whole run.
  [[nodiscard]] ClockOffset clock() const { return clock_; }
  /// The largest error of any shard's clock, once it is over().
  [[nodiscard]] mqtt::Duration worst_error() const { return worst_error_; }

 private:
  enum class Phase : std::uint8_t { idle, gathering, connecting, syncing, running, settling, over, failed };

  /// What the leader knows of another shard.
  struct Member {
    std::optional<std::uint64_t> nonce;
    mqtt::TimePoint heard{};
    bool ready = false;
    bool synced = false;
    bool done = false;
    ClockOffset clock;
    Progress progress;
  };

  void send(std::optional<std::uint32_t> to, Kind kind, std::vector<std::int64_t> numbers = {});

  // The leader's side.
  void lead(mqtt::TimePoint now, const RendezvousMessage& message);
  void on_hello(mqtt::TimePoint now, const RendezvousMessage& message);
  void on_other_leader(const RendezvousMessage& message);
  void on_gone(const RendezvousMessage& message);
  void answer(mqtt::TimePoint now, const RendezvousMessage& ping);
  void note_report(Member& member, const RendezvousMessage& message);
  void note_synced(Member& member, const RendezvousMessage& message);
  void note_done(Member& member, const RendezvousMessage& message);
  void pass_on(const RendezvousMessage& message);
  void call_roll();
  void go_on(mqtt::TimePoint now);
  [[nodiscard]] bool all(bool Member::* flag) const;
  [[nodiscard]] std::vector<std::int64_t> missing() const;

  // The others' side.
  void follow(mqtt::TimePoint now, const RendezvousMessage& message);
  void note_leader(const RendezvousMessage& roll);
  void on_refused(const RendezvousMessage& message);
  void on_ended(const RendezvousMessage& message);
  void ask_clock(mqtt::TimePoint now);
  void on_pong(mqtt::TimePoint now, const RendezvousMessage& message);
  void clock_known();

  void note_counts(const RendezvousMessage& message);
  [[nodiscard]] std::uint32_t owner_of(std::uint64_t stream) const;
  [[nodiscard]] std::uint64_t next_of(std::uint32_t owner, std::uint64_t from) const;
  void finish_account();
  void give_up_waiting();
  [[nodiscard]] std::string absence(const std::vector<std::int64_t>& missing, std::string_view how) const;
  [[nodiscard]] std::string of_run() const;

  RendezvousConfig config_;
  Phase phase_ = Phase::idle;
  std::vector<Outgoing> output_;
  std::optional<RendezvousFailure> failure_;
  mqtt::Deadline patience_end_;
  mqtt::Deadline again_;  // when the last thing said is said again
  mqtt::Deadline start_;
  mqtt::Duration wall_start_{};
  bool ready_ = false;
  bool stop_asked_ = false;
  bool finish_asked_ = false;
  Progress own_;
  mqtt::Deadline report_at_;  // not before

  std::vector<Member> members_;  // of the leader; itself included, unused

  std::optional<std::uint64_t> leader_;
  std::vector<std::int64_t> roll_;  // as the leader said last
  ClockEstimate estimate_;
  std::int64_t question_ = 0;
  mqtt::TimePoint asked_{};
  ClockOffset clock_;
  mqtt::Duration worst_error_{};
  bool ended_account_ = false;  // done was said

  std::vector<std::uint64_t> counts_;
  std::vector<bool> known_;  // of counts_
  std::size_t unknown_ = 0;
};

}  // namespace mq::bench
