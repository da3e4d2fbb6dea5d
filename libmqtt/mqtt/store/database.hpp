#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

struct sqlite3;
struct sqlite3_stmt;

namespace mqtt::store {

enum class Access : std::uint8_t { read_only, read_write };

/// What becomes of the log when the last connection closes.
enum class Closing : std::uint8_t {
  leaves_log,  ///< for whoever wants to find out what is wrong with it
  ends_log,    ///< it goes into the database, and its file away
};

/// A prepared statement. Errors name the file, not the statement.
class Statement {
 public:
  Statement() = default;

  /// Executes it with these values for its parameters: integers, text, bytes, or optional ones.
  template <class... Values>
  [[nodiscard]] Result<void> run(const Values&... values) {
    bind_all(values...);
    return finish();
  }
  /// The same, for one that gives rows: next() comes to the first.
  template <class... Values>
  void start(const Values&... values) {
    bind_all(values...);
  }
  /// False: no more rows.
  [[nodiscard]] Result<bool> next();

  // Of the present row. Nothing where the value is NULL or of another type. Views live until next().
  [[nodiscard]] std::optional<std::int64_t> integer(int column) const;
  [[nodiscard]] std::optional<std::string_view> text(int column) const;
  [[nodiscard]] std::optional<Bytes> blob(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  template <class... Values>
  void bind_all(const Values&... values) {
    int index = 0;
    reset();
    (bind(++index, values), ...);
  }
  template <class Value>
  void bind(int index, const std::optional<Value>& value) {
    value ? bind(index, *value) : bind_null(index);
  }
  void bind(int index, std::int64_t value);
  void bind(int index, std::string_view text);
  void bind(int index, Bytes bytes);
  void bind_null(int index);
  void reset();
  [[nodiscard]] Result<void> finish();

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One SQLite database file.
class Database {
 public:
  [[nodiscard]] static Result<Database> open(const std::string& path, Access access);

  /// One or more statements without parameters and rows.
  [[nodiscard]] Result<void> execute(const char* sql);
  [[nodiscard]] Result<Statement> prepare(const char* sql);
  /// The first column of the first row.
  [[nodiscard]] Result<std::int64_t> number(const char* sql);
  [[nodiscard]] Result<std::string> word(const char* sql);
  /// No transaction is open. After some failures SQLite has ended it by itself.
  [[nodiscard]] bool is_idle() const;

  void on_close(Closing closing);
  /// From now on the log goes into the database every `pages` of it. Only once.
  void write_log_back_every(int pages);
  /// After the last commit.
  [[nodiscard]] int log_pages() const { return log_ ? log_->pages : 0; }
  /// Writes the log back and lets it begin anew. False: somebody else is reading in it. Does not wait.
  [[nodiscard]] Result<bool> restart_log();

 private:
  struct Log {
    int every;
    int next;  // when it is to be written back
    int pages = 0;
  };
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_{database} {}

  static int on_commit(void* log, sqlite3* database, const char* name, int pages);

  std::unique_ptr<Log> log_;  // outlives the database
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace mqtt::store
