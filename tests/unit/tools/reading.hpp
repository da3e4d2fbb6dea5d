#pragma once
#include <map>
#include <string>
#include <vector>

#include "common/options.hpp"

namespace mq::test {

using Variables = std::map<std::string, std::string>;

/// What Options::read() says, as one text: "" when all is well, else what would be printed.
inline std::string read(Options& options, const std::vector<std::string>& arguments,
                        const Variables& variables = {}) {
  const auto result = options.read(arguments, [&variables](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
  return result ? "" : result.error().to_stdout + result.error().to_stderr;
}

inline Program program() {
  return {.name = "mqpub", .summary = "Publish messages.", .usage = "[OPTIONS] -t TOPIC"};
}

}  // namespace mq::test
