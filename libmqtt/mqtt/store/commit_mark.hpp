#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <mqtt/store/schema.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::store {

/// FILE-commits: how many transactions the database FILE has to have, at least. SQLite takes the log up to
/// its first damaged byte, and does without it if it is missing; only this tells that something was lost.
///
/// It is written after each commit and never synced. A killed broker leaves it as it was written last; after
/// a power failure it may be behind, which is as good. With Durability::relaxed the database may be behind as
/// well then, so that the mark counts only until the system is started again.
class CommitMark {
 public:
  /// What FILE has to have; nothing if it cannot be said. A fault: it is not a mark.
  [[nodiscard]] static Result<std::optional<std::int64_t>> read(const std::string& database);
  /// FILE is to be made anew: there is nothing that it must have.
  static void remove(const std::string& database);
  /// FILE-commits for writing, which says `commits`.
  [[nodiscard]] static Result<CommitMark> make(const std::string& database, Durability durability,
                                               std::int64_t commits);

  CommitMark(CommitMark&& other) noexcept
      : fd_{std::exchange(other.fd_, -1)}, boot_{std::move(other.boot_)} {}
  CommitMark& operator=(CommitMark&& other) = delete;
  ~CommitMark();

  /// If it cannot be written it stays behind, and tells less.
  void put(std::int64_t commits);

 private:
  CommitMark(int fd, std::string boot) : fd_{fd}, boot_{std::move(boot)} {}

  int fd_;
  std::string boot_;  // the start of the system that it is good for
};

/// Of the database itself, whose symbolic links SQLite follows: FILE-wal, FILE-commits.
[[nodiscard]] std::string companion(const std::string& database, std::string_view suffix);

}  // namespace mqtt::store
