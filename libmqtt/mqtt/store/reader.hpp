#pragma once
#include <limits>
#include <string>
#include <unordered_map>

#include <mqtt/broker/store.hpp>
#include <mqtt/store/database.hpp>

namespace mqtt::store {

class SqliteStore;

/// One row of a query: remembers the first value that cannot be so, so that the rest reads like the schema.
class RowReader {
 public:
  RowReader(const Statement& statement, std::string name) : row_{statement}, name_{std::move(name)} {}

  [[nodiscard]] std::int64_t number(int column, std::int64_t min, std::int64_t max, const char* what);
  [[nodiscard]] bool flag(int column, const char* what) { return number(column, 0, 1, what) == 1; }
  [[nodiscard]] QoS qos(int column, std::int64_t min = 0) {
    return static_cast<QoS>(number(column, min, 2, "qos"));
  }
  [[nodiscard]] std::optional<std::int64_t> number_or_null(int column, std::int64_t min, std::int64_t max,
                                                           const char* what);
  [[nodiscard]] std::string_view text(int column, const char* what);
  [[nodiscard]] std::string_view text_or_null(int column, const char* what);
  [[nodiscard]] Bytes blob(int column, const char* what);
  [[nodiscard]] std::string_view topic(int column);
  [[nodiscard]] PropertiesView properties(int column, PropertyPlace place);
  void require(bool holds, std::string_view what);

  /// The first fault, with the name of the row.
  [[nodiscard]] Result<void> result() const;
  [[nodiscard]] std::unexpected<Error> fault(std::string_view what) const;

 private:
  const Statement& row_;
  std::string name_;
  std::string fault_;
};

/// Gives a broker what a store has kept. A row that cannot be so is a fault: whoever meddled with the
/// database, or the disk, may have lost more than that row.
class Reader {
 public:
  Reader(SqliteStore& store, broker::Recovery& into);

  [[nodiscard]] Result<void> read();

 private:
  using Step = Result<void> (Reader::*)(Statement&);

  [[nodiscard]] Result<void> each(const char* sql, Step step);
  [[nodiscard]] Result<void> read_key();
  [[nodiscard]] Result<void> read_session(Statement& row);
  [[nodiscard]] Result<void> read_subscription(Statement& row);
  [[nodiscard]] Result<void> read_replay_sent(Statement& row);
  [[nodiscard]] Result<void> read_received(Statement& row);
  [[nodiscard]] Result<void> read_message(Statement& row);
  [[nodiscard]] Result<void> read_retained(Statement& row);
  [[nodiscard]] Result<void> read_delivery(Statement& row);
  void forget_orphans();

  [[nodiscard]] broker::SubscriberId session(RowReader& row, int column);
  [[nodiscard]] Deadline time(RowReader& row, int column, const char* what);

  SqliteStore& store_;
  broker::Recovery& into_;
  std::unordered_map<std::int64_t, broker::SubscriberId> sessions_;  // by row
  std::unordered_map<std::int64_t, broker::MessagePtr> messages_;
};

}  // namespace mqtt::store
