#pragma once
#include <string>
#include <string_view>

#include <mqtt/util/error.hpp>

namespace mq::bench {

/// Waits until all of it is taken. `name` stands in the error: "standard output".
[[nodiscard]] mqtt::Result<void> write_all(int fd, std::string_view text, const std::string& name);

/// Whether write_file() could write there now: to be asked before a run of an hour, not after it.
[[nodiscard]] mqtt::Result<void> check_writable(const std::string& path);

/// Under another name first (PATH.part): whoever finds the file finds all of it. Into what is no regular file
/// as it is.
[[nodiscard]] mqtt::Result<void> write_file(const std::string& path, std::string_view text);

}  // namespace mq::bench
