#pragma once
#include <optional>
#include <string>

#include "mqspy/options.hpp"

namespace mq::spy {

/// The first given option that the command has no use for, as a sentence.
[[nodiscard]] std::optional<std::string> find_useless_option(const Options& options, Command command);

}  // namespace mq::spy
