#pragma once
#include <string>

namespace mq::bench {

/// The arguments as a shell takes them, in one line: what a result says that it is the result of. Call it
/// after parsing, which has overwritten what is secret. What is not UTF-8 is escaped: JSON, where it goes,
/// has no room for it.
[[nodiscard]] std::string command_line(int argc, char** argv);

}  // namespace mq::bench
