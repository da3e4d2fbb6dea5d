#pragma once
#include <string>

#include <mqtt/util/error.hpp>

namespace mqtt::store {

/// Keeps other processes that ask for the same lock away from a file, which is made if it is not there. Only
/// its owner may read it: it will hold what clients say.
///
/// SQLite's own locks end when any descriptor of the file is closed: this has to outlive the database.
class FileLock {
 public:
  [[nodiscard]] static Result<FileLock> take(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_{fd} {}
  int fd_;
};

}  // namespace mqtt::store
