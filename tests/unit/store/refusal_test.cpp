// Databases that cannot be used, and rows that cannot be so: refused with a reason, never emptied.
#include <fstream>

#include "shelf.hpp"

namespace mqtt::test {
namespace {

using testing::HasSubstr;

struct Refusal : testing::Test {
  /// Why the file of the shelf cannot be opened; empty if it can.
  std::string open() {
    auto opened = shelf.open(now);
    return opened ? "" : opened.error().context;
  }
  /// A database with a client of each kind, and all sorts of messages.
  void fill() {
    DurableRig world;
    Client r{world.rig}, s{world.rig}, p{world.rig};
    r.acknowledges = false;
    r.enter("id=r clean session_expiry_interval=1000 will=w willp=x");
    r.subscribe("t:2", "subscription_identifier=7");
    s.enter("id=s clean session_expiry_interval=1000");
    s.subscribe("$share/g/t:1");
    s.cut();
    p.enter("id=p clean session_expiry_interval=1000");
    p.send("PUBLISH q=2 id=1 t=t p=x");
    p.send("PUBLISH q=2 id=2 t=t p=y");
    p.send("PUBLISH q=1 id=3 retain t=t/r p=z");
    r.send("PUBREC id=1");
    p.queue("PUBLISH q=2 id=4 t=t p=held");
    p.acknowledges = false;
    world.run();
    world.advance(1s);
    std::filesystem::copy_file(world.shelf.path(), shelf.path());
    std::filesystem::copy_file(world.shelf.path() + "-wal", shelf.path() + "-wal");
    std::filesystem::copy_file(world.shelf.path() + "-commits", shelf.path() + "-commits");
  }
  void change(const std::string& sql) {
    auto database = store::Database::open(shelf.path(), store::Access::read_write);
    ASSERT_TRUE(database);
    const auto done = database->execute(sql.c_str());
    ASSERT_TRUE(done) << done.error().context << ": " << sql;
  }
  /// What a broker says that is to take it up.
  std::string recover() {
    auto opened = shelf.open(now);
    if (!opened) return opened.error().context;
    Rig rig;
    const SipKey key{1};
    broker::Broker successor{rig.pool, {}, {rig.authenticator, rig.access, **opened, rig.events}, key};
    const auto recovered = successor.recover(now);
    return recovered ? "" : recovered.error().context;
  }

  TimePoint now{};
  Shelf shelf;
};

TEST_F(Refusal, AnotherBrokerHasIt) {
  const auto first = DurableRig::must(shelf.open(now));
  EXPECT_THAT(open(), HasSubstr("another mqbroker has it open"));
}

TEST_F(Refusal, ItIsNoDatabase) {
  const std::string text(5000, 'x');
  std::ofstream{shelf.path()} << text;
  EXPECT_THAT(open(), HasSubstr("not a database"));
  EXPECT_EQ(std::filesystem::file_size(shelf.path()), text.size()) << "it is not touched";
}

TEST_F(Refusal, ItIsOfAnotherProgram) {
  {
    std::ofstream{shelf.path()};
  }
  change("CREATE TABLE t(a)");
  EXPECT_THAT(open(), HasSubstr("of another program"));
}

TEST_F(Refusal, ItIsOfANewerSchema) {
  DurableRig::must(shelf.open(now));
  change("PRAGMA user_version = 3");
  EXPECT_THAT(open(), HasSubstr("newer"));
}

TEST_F(Refusal, PagesAreDamaged) {
  fill();
  change("PRAGMA wal_checkpoint(TRUNCATE)");
  const auto size = std::filesystem::file_size(shelf.path());
  std::size_t refused = 0;
  for (std::uintmax_t page = 1; page * 4096 < size; ++page) {
    const std::string path = shelf.path();
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    std::string before(4096, '\0');
    file.seekg(static_cast<std::streamoff>(page * 4096)).read(before.data(), 4096);
    file.seekp(static_cast<std::streamoff>(page * 4096))
        .write(std::string(4096, '\xA5').data(), 4096)
        .flush();
    refused += !recover().empty();
    file.seekp(static_cast<std::streamoff>(page * 4096)).write(before.data(), 4096).flush();
  }
  EXPECT_EQ(refused, size / 4096 - 1);
  EXPECT_EQ(recover(), "");
}

TEST_F(Refusal, ItWasCutShort) {
  fill();
  change("PRAGMA wal_checkpoint(TRUNCATE)");
  std::filesystem::resize_file(shelf.path(), std::filesystem::file_size(shelf.path()) - 4096);
  EXPECT_NE(recover(), "");
}

TEST_F(Refusal, AFileWhoseMakingWasCutShortIsMadeAnew) {
  {
    std::ofstream{shelf.path()};
  }
  change("PRAGMA journal_mode = WAL");
  EXPECT_EQ(recover(), "");
}

TEST_F(Refusal, ANewDatabaseIsOursWithoutItsLog) {
  {
    DurableRig world;
    std::filesystem::copy_file(world.shelf.path(), shelf.path());  // without the log, as a killed broker's
  }
  auto database = store::Database::open(shelf.path(), store::Access::read_only);
  ASSERT_TRUE(database);
  EXPECT_GT(database->number("PRAGMA application_id").value_or(0), 0);
}

TEST_F(Refusal, AFileMayBeCalledWhatSqliteHasAnotherMeaningFor) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(std::filesystem::path{shelf.path()}.parent_path());
  for (const std::string name : {":memory:", "file:x?mode=memory", "file::memory:", "file:other"}) {
    std::ofstream{name}.close();
    auto database = store::Database::open(name, store::Access::read_write);
    EXPECT_TRUE(database && database->execute("CREATE TABLE kept(x)")) << name;
    EXPECT_GT(std::filesystem::file_size(name), 0U) << name << ": it is in the file";
  }
  std::filesystem::current_path(before);
}

TEST_F(Refusal, OnlyItsLogIsLeft) {
  fill();
  const std::string log = shelf.path() + "-wal";
  const auto size = std::filesystem::file_size(log);
  std::filesystem::resize_file(shelf.path(), 0);
  EXPECT_THAT(open(), HasSubstr("damaged"));
  EXPECT_EQ(std::filesystem::file_size(log), size) << "it is not touched";
}

/// SQLite goes without a word up to the first frame that is not whole.
TEST_F(Refusal, ALogIsDamagedAnywhere) {
  fill();
  const std::string log = shelf.path() + "-wal";
  const auto size = std::filesystem::file_size(log);
  constexpr std::uintmax_t header = 32, frame = 24 + 4096;
  std::size_t places = 0;
  for (std::uintmax_t at : {std::uintmax_t{17}, header + 5, header + frame + 100,
                            header + frame * ((size / frame) / 2) + 30, size - 7}) {
    std::fstream file{log, std::ios::in | std::ios::out | std::ios::binary};
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(byte ^ 0x10)).flush();
    EXPECT_THAT(open(), AllOf(HasSubstr("damaged or missing"), HasSubstr(log))) << at;
    EXPECT_EQ(std::filesystem::file_size(log), size) << "it is not touched";
    file.seekp(static_cast<std::streamoff>(at)).put(byte).flush();
    ++places;
  }
  EXPECT_EQ(places, 5u);
  EXPECT_EQ(recover(), "");
}

TEST_F(Refusal, ALogIsCutShort) {
  fill();
  const std::string log = shelf.path() + "-wal";
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 1);
  EXPECT_THAT(open(), HasSubstr("it lacks the last 1 of"));
}

TEST_F(Refusal, ALogIsMissing) {
  fill();
  std::filesystem::remove(shelf.path() + "-wal");
  EXPECT_THAT(open(), HasSubstr("damaged or missing"));
  std::filesystem::remove(shelf.path() + "-commits");
  EXPECT_EQ(open(), "") << "whoever says so may have what is left";
}

TEST_F(Refusal, ALogThatSomebodyElseHasWrittenBackIsNotMissed) {
  fill();
  change("PRAGMA wal_checkpoint(TRUNCATE)");
  std::filesystem::remove(shelf.path() + "-wal");
  EXPECT_EQ(recover(), "");
}

TEST_F(Refusal, AFileWasEmptied) {
  fill();
  std::filesystem::resize_file(shelf.path(), 0);
  std::filesystem::remove(shelf.path() + "-wal");
  EXPECT_THAT(open(), HasSubstr("it is empty, and had"));
}

TEST_F(Refusal, AFileThatWasRemovedIsMadeAnew) {
  fill();
  std::filesystem::remove(shelf.path());
  std::filesystem::remove(shelf.path() + "-wal");
  EXPECT_EQ(recover(), "");
}

TEST_F(Refusal, AMarkThatIsNone) {
  fill();
  std::ofstream{shelf.path() + "-commits"} << "commits many";
  EXPECT_THAT(open(), HasSubstr("-commits"));
  std::ofstream{shelf.path() + "-commits"} << std::string(72, '\0');
  EXPECT_EQ(recover(), "") << "a power failure came while it was made";
}

TEST_F(Refusal, WithoutFullDurabilityAMarkIsGoodUntilTheSystemStartsAnew) {
  fill();
  std::filesystem::remove(shelf.path() + "-wal");
  std::ofstream{shelf.path() + "-commits"} << fmt::format("commits {:020} start {:<36}\n", 99, "another");
  EXPECT_EQ(recover(), "");
}

TEST_F(Refusal, ADatabaseOfTheFirstSchemaIsTakenUp) {
  fill();
  change(
      "DROP TABLE history; DROP TABLE replay_sent; ALTER TABLE subscription DROP COLUMN replays_until; "
      "PRAGMA user_version = 1; PRAGMA wal_checkpoint(TRUNCATE)");
  std::filesystem::remove(shelf.path() + "-commits");
  EXPECT_EQ(recover(), "");
  auto database = store::Database::open(shelf.path(), store::Access::read_only);
  EXPECT_EQ(database->number("PRAGMA user_version").value_or(0), 2);
  EXPECT_EQ(database->number("SELECT commits FROM history").value_or(-1), 0);
}

struct Lie {
  const char* sql;
  const char* said;
};

TEST_F(Refusal, ARowThatCannotBeSo) {
  const Lie lies[] = {
      {"UPDATE session SET version = 9", "version is 9"},
      {"UPDATE session SET client_id = ''", "no client_id"},
      {"UPDATE session SET client_id = 'same'", "two sessions of this client id"},
      {"UPDATE session SET client_id = CAST(x'ff' AS TEXT)", "client_id is not UTF-8"},
      {"UPDATE session SET expiry_interval = -1", "expiry_interval is -1"},
      {"UPDATE session SET ends_at = -5", "ends_at is -5"},
      {"UPDATE session SET will_topic = 'a/+' WHERE will_topic IS NOT NULL", "topic: "},
      {"UPDATE session SET will_qos = 3 WHERE will_topic IS NOT NULL", "qos is 3"},
      {"UPDATE subscription SET filter = 'a#' WHERE filter = 't'", "filter: "},
      {"UPDATE subscription SET session = 99", "there is no such session"},
      {"UPDATE subscription SET retain_handling = 3", "retain_handling is 3"},
      {"UPDATE subscription SET identifier = 0", "identifier is 0"},
      {"UPDATE subscription SET replays_until = -1", "replays_until is -1"},
      {"INSERT INTO replay_sent VALUES(1, 't', 0)", "message is 0"},
      {"INSERT INTO replay_sent VALUES(1, 't', 5)", "no retained messages are on their way there"},
      {"UPDATE message SET topic = CAST(x'610062' AS TEXT)", "topic is not UTF-8"},
      {"UPDATE message SET topic = 'a/#'", "topic: "},
      {"UPDATE message SET properties = x'ff01'", "properties are malformed"},
      {"UPDATE message SET qos = 3", "qos is 3"},
      {"INSERT INTO delivery VALUES(900, 1, NULL, 2, 0, NULL, NULL, NULL, NULL)", "it has no message"},
      {"INSERT INTO delivery VALUES(900, 1, 77, 2, 0, NULL, NULL, NULL, NULL)", "there is no such message"},
      {"UPDATE delivery SET packet_id = 0", "packet_id is 0"},
      {"UPDATE delivery SET packet_id = 65536", "packet_id is 65536"},
      {"UPDATE delivery SET packet_id = 5", "two messages in flight of the same packet identifier"},
      {"UPDATE delivery SET qos = 0", "qos is 0"},
      {"UPDATE delivery SET identifiers = '1,x'", "identifiers are not numbers"},
      {"UPDATE delivery SET identifiers = '1,'", "identifiers are not numbers"},
      {"UPDATE delivery SET share = 'g/t'", "share is not a shared subscription"},
      {"UPDATE delivery SET id = -id", "not a positive number"},
      {"UPDATE received SET packet_id = 0", "packet_id is 0"},
      {"UPDATE retained SET payload = x''", "it has no payload"},
      {"UPDATE retained SET topic = ''", "topic: "},
      {"UPDATE setting SET value = x'00'", "value is not of 16 bytes"},
  };
  fill();
  change("PRAGMA wal_checkpoint(TRUNCATE)");
  const std::string good = shelf.path();
  for (const Lie& lie : lies) {
    shelf.kill();
    change(lie.sql);
    const std::string said = recover();
    EXPECT_THAT(said, HasSubstr(lie.said)) << lie.sql;
    EXPECT_THAT(said, HasSubstr(shelf.path())) << "which file";
    std::filesystem::remove(shelf.path());
    std::filesystem::copy_file(good, shelf.path());
  }
  EXPECT_EQ(recover(), "");
}

TEST_F(Refusal, AMessageThatNobodyNeedsIsDropped) {
  fill();
  change("INSERT INTO message VALUES(500, 'a', x'00', x'', 1, 0, 1, NULL)");
  DurableRig::must(shelf.open(now));
  EXPECT_EQ(recover(), "");
  auto database = store::Database::open(shelf.path(), store::Access::read_only);
  EXPECT_EQ(database->number("SELECT count(*) FROM message WHERE id = 500").value_or(-1), 0);
}

}  // namespace
}  // namespace mqtt::test
