#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <mqtt/store/sqlite_store.hpp>

#include <support/temp_directory.hpp>
#include <unit/broker/broker_test.hpp>

// Databases in a directory of their own, and brokers that are killed.

namespace mqtt::test {

using store::Durability;
using store::SqliteStore;

class Shelf {
 public:
  [[nodiscard]] std::string path() const { return folder_.file(fmt::format("{}.db", number_)); }

  /// The clock of the day runs with that of the tests.
  [[nodiscard]] Result<std::unique_ptr<SqliteStore>> open(const TimePoint& now,
                                                          Durability durability = Durability::relaxed,
                                                          int log_pages = SqliteStore::log_pages_max) {
    return SqliteStore::open(
        path(), durability,
        [&now, this] {
          const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
          return store::ClockPair{now, std::chrono::milliseconds{1'700'000'000'000} + away + passed};
        },
        log_pages);
  }
  /// What a broker that is killed now leaves: path() is a copy of the files as they are.
  void kill() {
    const std::string before = path();
    ++number_;
    for (const char* const part : {"", "-wal", "-commits"})
      if (std::filesystem::exists(before + part)) std::filesystem::copy_file(before + part, path() + part);
  }

  std::chrono::milliseconds away{0};  ///< how long nobody was there

 private:
  TempDirectory folder_;
  int number_ = 0;
};

/// A broker with a database, which can be killed and started again.
struct DurableRig {
  explicit DurableRig(broker::BrokerConfig config = {}, std::uint64_t seed = 1,
                      Durability how = Durability::relaxed, int log_pages = SqliteStore::log_pages_max)
      : durability{how},
        store{must(shelf.open(rig.now, how, log_pages))},
        rig{std::move(config), seed, *store} {}
  void run() { rig.run(); }
  void advance(Duration duration) { rig.advance(duration); }
  void kill(std::chrono::seconds away = {}) {
    shelf.kill();
    shelf.away += away;
    auto successor = must(shelf.open(rig.now, durability));
    rig.restart(*successor);
    store = std::move(successor);
  }
  [[nodiscard]] std::int64_t count(const std::string& table) {
    auto database = store::Database::open(shelf.path(), store::Access::read_only);
    return database ? database->number(fmt::format("SELECT count(*) FROM {}", table).c_str()).value_or(-1)
                    : -1;
  }

  static std::unique_ptr<SqliteStore> must(Result<std::unique_ptr<SqliteStore>> opened) {
    EXPECT_TRUE(opened) << opened.error().context;
    return std::move(*opened);
  }

  Shelf shelf;
  const Durability durability;
  std::unique_ptr<SqliteStore> store;
  Rig rig;
};

}  // namespace mqtt::test
