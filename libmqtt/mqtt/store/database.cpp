// The only file that knows SQLite's own interface.
#include <mqtt/store/database.hpp>

#include <sqlite3.h>

#include <cerrno>

#include <fmt/format.h>

namespace mqtt::store {
namespace {

/// Somebody else who writes, such as a shell, is waited for no longer: all clients wait meanwhile.
constexpr int busy_timeout_ms = 200;

int errno_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL: return ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return EBUSY;
    case SQLITE_READONLY: return EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH: return EACCES;
    case SQLITE_NOMEM: return ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return EBADMSG;
    default: return EIO;
  }
}

/// Of the last call.
std::unexpected<Error> failed(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  std::string text = sqlite3_errmsg(database);
  const int system = sqlite3_system_errno(database);
  if ((code & 0xFF) == SQLITE_IOERR && system != 0)
    text += fmt::format(" ({})", system_error(system, "").context);
  return fail(ErrorDomain::system, errno_of(code), std::move(text));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::reset() { sqlite3_reset(statement_.get()); }

// A failure to bind is one of memory, or of a value beyond SQLite's limits: the statement then fails with
// a constraint, or stores NULL where no NULL may be.

void Statement::bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_.get(), index, value); }

void Statement::bind(int index, std::string_view text) {
  const char* const data = text.data() ? text.data() : "";
  sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind(int index, Bytes bytes) {
  if (bytes.empty())
    sqlite3_bind_zeroblob(statement_.get(), index, 0);
  else
    sqlite3_bind_blob64(statement_.get(), index, bytes.data(), bytes.size(), SQLITE_STATIC);
}

void Statement::bind_null(int index) { sqlite3_bind_null(statement_.get(), index); }

Result<void> Statement::finish() {
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(statement_.get());
  auto result = code == SQLITE_DONE ? Result<void>{} : failed(sqlite3_db_handle(statement_.get()));
  reset();
  return result;
}

Result<bool> Statement::next() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) return failed(sqlite3_db_handle(statement_.get()));
  reset();
  return false;
}

std::optional<std::int64_t> Statement::integer(int column) const {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_INTEGER) return std::nullopt;
  return sqlite3_column_int64(statement_.get(), column);
}

std::optional<std::string_view> Statement::text(int column) const {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_TEXT) return std::nullopt;
  const auto* const data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return std::string_view{data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::optional<Bytes> Statement::blob(int column) const {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_BLOB) return std::nullopt;
  const auto* const data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return Bytes{data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> Database::open(const std::string& path, Access access) {
  const int mode = access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  // Names of SQLite's own are none here: ":memory:" and, with a Debian SQLite, "file:x?mode=memory" would
  // keep nothing.
  const std::string file = path.starts_with('/') ? path : "./" + path;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &handle, mode | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database{handle};
  if (code != SQLITE_OK) return failed(handle);
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  return database;
}

Result<void> Database::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return failed(database_.get());
  return {};
}

Result<Statement> Database::prepare(const char* sql) {
  Statement statement;
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr) != SQLITE_OK)
    return failed(database_.get());
  statement.statement_.reset(handle);
  return statement;
}

Result<std::int64_t> Database::number(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  const auto found = statement->next();
  if (!found) return std::unexpected(found.error());
  return statement->integer(0).value_or(0);
}

Result<std::string> Database::word(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  const auto found = statement->next();
  if (!found) return std::unexpected(found.error());
  return std::string{statement->text(0).value_or("")};
}

void Database::on_close(Closing closing) {
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, closing == Closing::leaves_log ? 1 : 0,
                    nullptr);
}

/// Instead of SQLite's own, which tries with every commit while a reader is in the way.
int Database::on_commit(void* given, sqlite3* database, const char* name, int pages) {
  Log& log = *static_cast<Log*>(given);
  log.pages = pages;
  if (pages < log.every) log.next = log.every;
  if (pages < log.next) return SQLITE_OK;
  log.next = pages + log.every;
  // If it fails the log just stays: the commit has succeeded.
  (void)sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  return SQLITE_OK;
}

void Database::write_log_back_every(int pages) {
  log_ = std::make_unique<Log>(Log{pages, pages});
  sqlite3_wal_hook(database_.get(), &Database::on_commit, log_.get());
}

Result<bool> Database::restart_log() {
  sqlite3_busy_timeout(database_.get(), 0);
  const int code =
      sqlite3_wal_checkpoint_v2(database_.get(), "main", SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
  sqlite3_busy_timeout(database_.get(), busy_timeout_ms);
  if (code == SQLITE_BUSY) return false;
  if (code != SQLITE_OK) return failed(database_.get());
  log_->pages = 0;
  return true;
}

bool Database::is_idle() const { return sqlite3_get_autocommit(database_.get()) != 0; }

}  // namespace mqtt::store
