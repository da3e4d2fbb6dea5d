#include <mqtt/store/schema.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include <mqtt/store/commit_mark.hpp>

namespace mqtt::store {
namespace {

constexpr std::int64_t application_id = 0x6D716272;  // "mqbr"
constexpr std::int64_t schema_version = 2;
constexpr std::int64_t migrated_version = 1;

/// Times are milliseconds since 1970; intervals seconds. `properties` are as in a PUBLISH packet of 5.0,
/// without their length.
constexpr const char* schema = R"(
BEGIN;
CREATE TABLE setting(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- How many transactions there have been. FILE-commits says how many of them there must be.
CREATE TABLE history(commits INTEGER NOT NULL) STRICT;
INSERT INTO history VALUES(0);

-- A client that is connected, or whose session stays while it is away.
CREATE TABLE session(
  id INTEGER PRIMARY KEY,
  client_id TEXT NOT NULL,
  user TEXT,                          -- NULL: anonymous
  version INTEGER NOT NULL,           -- 3: MQTT 3.1, 4: 3.1.1, 5: 5.0
  expiry_interval INTEGER NOT NULL,   -- 4294967295: never
  connected INTEGER NOT NULL,
  ends_at INTEGER,                    -- away: when it is given up; NULL: never
  will_topic TEXT,                    -- NULL: no Will, or it has been published
  will_payload BLOB,
  will_properties BLOB,
  will_qos INTEGER,
  will_retain INTEGER,
  will_delay INTEGER,
  will_expiry INTEGER,
  will_at INTEGER                     -- away: when it is to be published
) STRICT;

CREATE TABLE subscription(
  session INTEGER NOT NULL,
  filter TEXT NOT NULL,
  qos INTEGER NOT NULL,
  no_local INTEGER NOT NULL,
  retain_as_published INTEGER NOT NULL,
  retain_handling INTEGER NOT NULL,
  identifier INTEGER,
  replays INTEGER NOT NULL,           -- retained messages are on their way to it
  replays_until INTEGER,              -- replays: none with a higher number is among them; NULL: any may be
  PRIMARY KEY(session, filter)
) STRICT, WITHOUT ROWID;

-- Retained messages of QoS 2 that were sent to one that replays, by their numbers.
CREATE TABLE replay_sent(
  session INTEGER NOT NULL,
  filter TEXT NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY(session, filter, message)
) STRICT, WITHOUT ROWID;

-- QoS 2 messages of clients that were taken over: their packet identifiers, until PUBREL.
CREATE TABLE received(
  session INTEGER NOT NULL,
  packet_id INTEGER NOT NULL,
  PRIMARY KEY(session, packet_id)
) STRICT, WITHOUT ROWID;

-- What some delivery needs, once for all of them.
CREATE TABLE message(
  id INTEGER PRIMARY KEY,             -- rises
  topic TEXT NOT NULL,
  payload BLOB NOT NULL,
  properties BLOB NOT NULL,
  qos INTEGER NOT NULL,
  retain INTEGER NOT NULL,
  publisher INTEGER NOT NULL,         -- keyed hash of its client id
  expires_at INTEGER
) STRICT;

-- A QoS 1 or 2 message for one client.
CREATE TABLE delivery(
  id INTEGER PRIMARY KEY,             -- rises
  session INTEGER NOT NULL,
  message INTEGER,                    -- NULL: PUBREC has come, PUBCOMP is awaited
  qos INTEGER NOT NULL,
  retain INTEGER NOT NULL,
  identifiers TEXT,                   -- Subscription Identifiers, with commas
  share TEXT,                         -- "$share/NAME/FILTER" that it came by
  packet_id INTEGER,                  -- NULL: it waits to be sent
  sent INTEGER                        -- order of those that were sent, or released
) STRICT;

CREATE TABLE retained(
  topic TEXT PRIMARY KEY,
  message INTEGER NOT NULL,           -- its number among all messages
  payload BLOB NOT NULL,
  properties BLOB NOT NULL,
  qos INTEGER NOT NULL,
  publisher INTEGER NOT NULL,
  expires_at INTEGER
) STRICT;

-- To look at: what waits for whom.
CREATE VIEW outstanding AS
  SELECT d.id AS delivery, s.client_id, d.qos, d.packet_id,
    CASE WHEN d.packet_id IS NULL THEN 'waits' WHEN d.message IS NULL THEN 'released' ELSE 'sent' END AS state,
    m.topic, m.payload, datetime(m.expires_at / 1000, 'unixepoch') AS expires
  FROM delivery d JOIN session s ON s.id = d.session LEFT JOIN message m ON m.id = d.message
  ORDER BY d.id;

PRAGMA application_id = 1836147314;
PRAGMA user_version = 2;
COMMIT;
)";

/// From version 1.
constexpr const char* migration = R"(
BEGIN;
CREATE TABLE history(commits INTEGER NOT NULL) STRICT;
INSERT INTO history VALUES(0);
ALTER TABLE subscription ADD COLUMN replays_until INTEGER;
CREATE TABLE replay_sent(
  session INTEGER NOT NULL,
  filter TEXT NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY(session, filter, message)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
COMMIT;
)";

/// A commit is written to the log, and, with full durability, has reached the disk when it returns. A log
/// that had grown for a reader's sake gives its room back.
constexpr const char* settings_full =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864";
constexpr const char* settings_relaxed =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864";

/// How much of the log there may be before it goes into the database.
constexpr int written_back_pages = 4000;

std::unexpected<Error> refused(const std::string& path, const Error& why) {
  std::string_view how = "cannot use the database";
  if (why.code == EBADMSG) how = "will not use the database, which is damaged or of another kind:";
  return fail(why.domain, why.code, fmt::format("{} {}: {}", how, path, why.context));
}

Result<void> check_kind(Database& database) {
  const auto foreign = [](std::string text) { return fail(ErrorDomain::system, EINVAL, std::move(text)); };
  const auto id = database.number("PRAGMA application_id");
  if (!id) return std::unexpected(id.error());
  if (*id != application_id) return foreign("it is a database of another program");
  const auto version = database.number("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (*version == schema_version || *version == migrated_version) return {};
  return foreign(
      fmt::format("its schema is of version {}, and this mqbroker knows only {}: it was written by a {} one",
                  *version, schema_version, *version > schema_version ? "newer" : "wrong"));
}

/// A new file, or one whose making was cut short.
Result<bool> is_empty(Database& database) {
  const auto objects = database.number("SELECT count(*) FROM sqlite_schema");
  if (!objects) return std::unexpected(objects.error());
  const auto id = database.number("PRAGMA application_id");
  if (!id) return std::unexpected(id.error());
  return *objects == 0 && *id == 0;
}

Result<void> check_pages(Database& database) {
  const auto found = database.word("PRAGMA quick_check(1)");
  if (!found) return std::unexpected(found.error());
  if (*found != "ok") return fail(ErrorDomain::system, EBADMSG, *found);
  return {};
}

Result<bool> is_old(Database& database) {
  const auto version = database.number("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  return *version == migrated_version;
}

/// Whether it has what its mark says. SQLite does not miss a log, or what was in it.
Result<void> check_commits(const std::string& path, Database& database,
                           const std::optional<std::int64_t>& wanted) {
  const auto old = is_old(database);
  if (!old) return std::unexpected(old.error());
  const auto commits = *old ? Result<std::int64_t>{0} : database.number("SELECT commits FROM history");
  if (!commits) return std::unexpected(commits.error());
  if (*commits >= wanted.value_or(0)) return {};
  return fail(
      ErrorDomain::system, EBADMSG,
      fmt::format("it lacks the last {} of {} transactions, as its log {} is damaged or missing, or an older "
                  "copy has taken its place; without the file {} it is taken as it is",
                  *wanted - *commits, *wanted, companion(path, "-wal"), companion(path, "-commits")));
}

/// One that is not empty.
Result<void> check_known(const std::string& path, Database& database,
                         const std::optional<std::int64_t>& wanted) {
  if (auto known = check_kind(database); !known) return known;
  return check_commits(path, database, wanted);
}

Result<void> take_up(const std::string& path, Database& database, const std::optional<std::int64_t>& wanted) {
  if (auto known = check_known(path, database, wanted); !known) return known;
  if (auto whole = check_pages(database); !whole) return whole;
  const auto old = is_old(database);
  if (!old) return std::unexpected(old.error());
  return *old ? database.execute(migration) : Result<void>{};
}

Result<void> prepare(const std::string& path, Database& database, Durability durability,
                     const std::optional<std::int64_t>& wanted) {
  const auto empty = is_empty(database);
  if (!empty) return std::unexpected(empty.error());
  // Before there is a log: the file is ours from the beginning, and never taken for a new one without it.
  auto ready = *empty ? database.execute(schema) : take_up(path, database, wanted);
  if (!ready) return ready;
  if (auto set = database.execute(durability == Durability::full ? settings_full : settings_relaxed); !set)
    return set;
  database.write_log_back_every(written_back_pages);
  return {};
}

/// SQLite takes an empty file for a new one, and removes the log that holds what it has lost.
Result<void> check_emptiness(const std::string& path, const std::optional<std::int64_t>& wanted) {
  std::error_code fault;
  if (std::filesystem::file_size(path, fault) > 0 || fault) return {};
  const std::string log = companion(path, "-wal");
  const std::uintmax_t logged = std::filesystem::file_size(log, fault);
  if (!fault && logged > 0)
    return fail(ErrorDomain::system, EBADMSG, fmt::format("it is empty, and its log {} is not", log));
  if (wanted.value_or(0) == 0) return {};
  return fail(ErrorDomain::system, EBADMSG,
              fmt::format("it is empty, and had {} transactions; without the file {} it is made anew",
                          *wanted, companion(path, "-commits")));
}

}  // namespace

Result<Database> open_ours(const std::string& path, Durability durability) {
  const auto wanted = CommitMark::read(path);
  if (!wanted) return refused(path, wanted.error());
  if (const auto whole = check_emptiness(path, *wanted); !whole) return refused(path, whole.error());
  auto database = Database::open(path, Access::read_write);
  if (!database) return refused(path, database.error());
  database->on_close(Closing::leaves_log);
  if (const auto ready = prepare(path, *database, durability, *wanted); !ready)
    return refused(path, ready.error());
  return database;
}

Result<void> check_ours(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) return refused(path, system_error(errno, "it cannot be looked at"));
    const std::string folder = std::filesystem::path{path}.parent_path().string();
    if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0) return {};
    return refused(path, system_error(errno, "it cannot be made"));
  }
  if (!S_ISREG(status.st_mode))
    return refused(path, {ErrorDomain::system, EINVAL, "it is not a regular file"});
  if (::access(path.c_str(), R_OK | W_OK) != 0)
    return refused(path, system_error(errno, "it cannot be written"));
  const auto wanted = CommitMark::read(path);  // before the database, which a broker may be writing
  if (!wanted) return refused(path, wanted.error());
  if (const auto whole = check_emptiness(path, *wanted); !whole) return refused(path, whole.error());
  if (status.st_size == 0) return {};
  auto database = Database::open(path, Access::read_only);
  if (!database) return refused(path, database.error());
  if (const auto known = check_known(path, *database, *wanted); !known) return refused(path, known.error());
  return {};
}

}  // namespace mqtt::store
