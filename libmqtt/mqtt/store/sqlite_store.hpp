#pragma once
#include <memory>
#include <string>
#include <vector>

#include <mqtt/broker/store.hpp>
#include <mqtt/session/id_table.hpp>
#include <mqtt/store/changes.hpp>
#include <mqtt/store/commit_mark.hpp>
#include <mqtt/store/file_lock.hpp>
#include <mqtt/store/schema.hpp>
#include <mqtt/store/writer.hpp>

namespace mqtt::store {

/// Keeps everything in an SQLite database. What happens between two commits is collected in memory, so that
/// what comes and goes within one turn is never written, and goes into the database in one transaction. After
/// a failure it stays there for the next attempt.
///
/// Only deletions, and changes of those who are away, may wait for a commit() that has something else to do:
/// a client that was killed with its broker may then get a QoS 1 message again that it has acknowledged.
class SqliteStore final : public broker::Store {
 public:
  /// Another program that reads in a transaction keeps the log from going into the database. With so much of
  /// it, 1 GiB, nothing more is taken until the reader has gone: the disk is for others, too.
  static constexpr int log_pages_max = 262'144;

  /// Errors name the file and say what is wrong with it.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(std::string path, Durability durability,
                                                                 Clocks clocks,
                                                                 int log_pages = log_pages_max);
  /// Writes what has waited, if close() has not been called.
  ~SqliteStore() override;

  void on_retained(std::string_view topic, const broker::MessagePtr& message) override;
  void on_session(const broker::SessionRecord& session) override;
  void on_session_ended(broker::SubscriberId session) override;
  void on_subscribed(const broker::SubscriptionRecord& record) override;
  void on_replay_sent(broker::SubscriberId session, std::string_view filter, std::uint64_t message) override;
  void on_replayed(broker::SubscriberId session, std::string_view filter) override;
  void on_unsubscribed(broker::SubscriberId session, std::string_view filter) override;
  void on_delivery(const broker::DeliveryRecord& delivery) override;
  void on_sent(broker::SubscriberId session, std::uint64_t row, const broker::MessagePtr& message,
               PacketId id) override;
  void on_given_up(std::uint64_t row, const broker::MessagePtr& message) override;
  void on_taken_over(broker::SubscriberId session, PacketId id) override;
  void on_finished(broker::SubscriberId session, PacketId id) override;
  void on_received(broker::SubscriberId session, PacketId id) override;
  void on_released(broker::SubscriberId session, PacketId id) override;
  [[nodiscard]] Result<void> commit(TimePoint now, broker::Urgency urgency) override;
  [[nodiscard]] Deadline next_deadline() const override;
  [[nodiscard]] const Error* fault() const override { return fault_ ? &*fault_ : nullptr; }
  [[nodiscard]] Result<void> recover(TimePoint now, broker::Recovery& into) override;
  [[nodiscard]] Result<void> close() override;
  /// Retained topics that the next transaction writes or clears.
  [[nodiscard]] std::size_t waiting_topics() const { return changes_.retained.size(); }

 private:
  friend class Reader;

  /// What has a packet identifier.
  struct InFlight {
    std::uint64_t row = 0;
    broker::MessagePtr message;  // null: released
  };
  struct Kept {
    std::int64_t row = 0;  // of its session; 0: there is none of this number
    IdTable<InFlight> in_flight;
  };

  SqliteStore(std::string path, FileLock lock, Database database, Clocks clocks, int log_pages);

  [[nodiscard]] Result<void> begin(Durability durability);
  [[nodiscard]] Kept& at(broker::SubscriberId session);
  void hold(const broker::MessagePtr& message);
  void release(const broker::MessagePtr& message);
  void note(const broker::MessagePtr& message);
  void finish(std::uint64_t row);
  [[nodiscard]] bool is_retained(std::string_view topic);
  [[nodiscard]] Result<void> write(TimePoint now);
  [[nodiscard]] Result<void> bound_log();
  [[nodiscard]] Result<void> write_changes();

  const std::string path_;
  FileLock lock_;  // outlives the database
  Database database_;
  Clocks clocks_;
  const int log_pages_;  // at most
  std::unique_ptr<Writer> writer_;
  std::optional<CommitMark> mark_;  // once it is open
  Changes changes_;
  std::vector<Kept> kept_;  // by SubscriberId
  std::int64_t last_session_ = 0;
  std::int64_t last_sent_ = 0;
  Deadline due_;  // what waits is to be written
  std::optional<Error> fault_;
};

}  // namespace mqtt::store
