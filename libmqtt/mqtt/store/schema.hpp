#pragma once
#include <cstdint>
#include <string>

#include <mqtt/store/database.hpp>

namespace mqtt::store {

/// When a commit is as good as done.
enum class Durability : std::uint8_t {
  full,     ///< it is on the disk
  relaxed,  ///< the system has it: a killed broker loses nothing, a power failure the last moments
};

/// A database of ours that can be used: made, if the file is empty, and checked. Errors say of what sort
/// it is else.
[[nodiscard]] Result<Database> open_ours(const std::string& path, Durability durability);

/// Whether open_ours() could succeed, as far as can be said without touching the file.
[[nodiscard]] Result<void> check_ours(const std::string& path);

}  // namespace mqtt::store
