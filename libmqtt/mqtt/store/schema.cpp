#include <mqtt/store/schema.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

namespace mqtt::store {
namespace {

constexpr std::int64_t application_id = 0x6D716272;  // "mqbr"
constexpr std::int64_t schema_version = 1;

/// Times are milliseconds since 1970; intervals seconds. `properties` are as in a PUBLISH packet of 5.0,
/// without their length.
constexpr const char* schema = R"(
BEGIN;
CREATE TABLE setting(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

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
  PRIMARY KEY(session, filter)
) STRICT, WITHOUT ROWID;

-- QoS 2 messages of clients that were taken over: their packet ids, until PUBREL.
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
PRAGMA user_version = 1;
COMMIT;
)";

/// A commit is written to the log, and, with full durability, has reached the disk when it returns. The log
/// goes into the database every 4000 pages.
constexpr const char* settings_full =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000";
constexpr const char* settings_relaxed =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000";

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
  if (*version == schema_version) return {};
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

Result<void> prepare(Database& database, Durability durability) {
  const auto empty = is_empty(database);
  if (!empty) return std::unexpected(empty.error());
  if (!*empty)
    if (auto known = check_kind(database); !known) return known;
  // Before there is a log: the file is ours from the beginning, and never taken for a new one without it.
  if (*empty)
    if (auto made = database.execute(schema); !made) return made;
  if (auto set = database.execute(durability == Durability::full ? settings_full : settings_relaxed); !set)
    return set;
  return check_pages(database);
}

/// SQLite takes an empty file for a new one, and removes the log that holds what it has lost.
Result<void> check_log(const std::string& path) {
  std::error_code fault;
  const std::filesystem::path file = std::filesystem::canonical(path, fault);
  const std::filesystem::path log = file.string() + "-wal";
  if (fault || std::filesystem::file_size(file, fault) > 0) return {};
  const std::uintmax_t logged = std::filesystem::file_size(log, fault);
  if (fault || logged == 0) return {};
  return fail(ErrorDomain::system, EBADMSG, fmt::format("it is empty, and its log {} is not", log.string()));
}

}  // namespace

Result<Database> open_ours(const std::string& path, Durability durability) {
  if (const auto whole = check_log(path); !whole) return refused(path, whole.error());
  auto database = Database::open(path, Access::read_write);
  if (!database) return refused(path, database.error());
  if (const auto ready = prepare(*database, durability); !ready) return refused(path, ready.error());
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
  if (status.st_size == 0) {
    const auto whole = check_log(path);
    return whole ? Result<void>{} : refused(path, whole.error());
  }
  auto database = Database::open(path, Access::read_only);
  if (!database) return refused(path, database.error());
  if (const auto known = check_kind(*database); !known) return refused(path, known.error());
  return {};
}

}  // namespace mqtt::store
