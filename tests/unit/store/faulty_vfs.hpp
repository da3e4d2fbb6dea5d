#pragma once
#include <cstdint>

namespace mqtt::test {

enum class DiskFault : std::uint8_t { none, full, write_error, sync_error };

/// Makes every write or fsync of SQLite in this process fail, for as long as it lives.
class FaultyDisk {
 public:
  explicit FaultyDisk(DiskFault fault);
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;
};

/// To be called before any database is opened.
void install_faulty_vfs();

}  // namespace mqtt::test
