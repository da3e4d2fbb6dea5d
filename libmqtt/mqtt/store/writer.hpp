#pragma once
#include <algorithm>
#include <chrono>
#include <functional>

#include <mqtt/store/changes.hpp>
#include <mqtt/store/database.hpp>

namespace mqtt::store {

/// The same moment on both clocks. Steady time ends with the system, so times are kept as those of the day.
struct ClockPair {
  TimePoint steady;
  std::chrono::milliseconds unix_time;

  [[nodiscard]] UnixTime to_unix(TimePoint when) const {
    return (unix_time + std::chrono::floor<std::chrono::milliseconds>(when - steady)).count();
  }
  /// What lies further away than anything can be asked to last comes as that far away: nanoseconds end after
  /// 292 years, and either clock may be wrong.
  [[nodiscard]] TimePoint to_steady(UnixTime when) const {
    const std::chrono::milliseconds away = std::chrono::milliseconds{when} - unix_time;
    return steady + std::clamp<std::chrono::milliseconds>(away, -furthest, furthest);
  }

 private:
  static constexpr std::chrono::seconds furthest{0xFFFF'FFFF};
};
using Clocks = std::function<ClockPair()>;

/// Writes Changes into a database, all or nothing.
class Writer {
 public:
  [[nodiscard]] static Result<Writer> make(Database& database, Clocks clocks);
  [[nodiscard]] Result<void> write(const Changes& changes);
  /// That the database has had.
  [[nodiscard]] std::int64_t commits() const { return commits_; }

 private:
  Writer(Database& database, Clocks clocks, std::int64_t commits)
      : database_{&database}, clocks_{std::move(clocks)}, commits_{commits} {}

  [[nodiscard]] Result<void> write_all(const Changes& changes);
  [[nodiscard]] Result<void> write_sessions(const Changes& changes);
  [[nodiscard]] Result<void> write_session(std::int64_t row, const SessionRow& session);
  [[nodiscard]] Result<void> write_subscriptions(const Changes& changes);
  [[nodiscard]] Result<void> write_subscription(const SubscriptionRow& row);
  [[nodiscard]] Result<void> write_replays(const Changes& changes);
  [[nodiscard]] Result<void> write_received(const Changes& changes);
  [[nodiscard]] Result<void> end_sessions(const Changes& changes);
  [[nodiscard]] Result<void> write_messages(const Changes& changes);
  [[nodiscard]] Result<void> write_message(const broker::Message& message);
  [[nodiscard]] Result<void> write_deliveries(const Changes& changes);
  [[nodiscard]] Result<void> write_progress(const Changes& changes);
  [[nodiscard]] Result<void> write_retained(const Changes& changes);
  [[nodiscard]] std::optional<UnixTime> unix_time(const Deadline& when) const;

  Database* database_;
  Clocks clocks_;
  std::int64_t commits_;
  Statement begin_, commit_, rollback_, count_;
  Statement put_session_, end_session_, end_subscriptions_, end_received_;
  Statement subscribe_, end_replay_, unsubscribe_, put_replay_sent_, drop_replay_sent_, end_replays_sent_,
      receive_, release_id_;
  Statement put_message_, drop_message_;
  Statement put_delivery_, send_, release_, finish_;
  Statement retain_, forget_;
};

}  // namespace mqtt::store
