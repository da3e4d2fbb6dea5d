#pragma once
#include <string>

namespace mq {

/// Whether a finished file may take the place of what is at `path`: of nothing, or of a regular file.
/// Anything else is written into: a device or pipe that root renames a file over is gone for everybody, and a
/// link such as /dev/stdout means what it leads to.
[[nodiscard]] bool is_replaceable(const std::string& path);

}  // namespace mq
