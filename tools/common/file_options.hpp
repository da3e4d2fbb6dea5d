#pragma once
#include <optional>
#include <string>

#include "common/options.hpp"

namespace mq {

/// Files that options come from.
struct FileOptions {
  std::optional<std::string> config;        ///< --config: TOML
  std::optional<std::string> profile;       ///< --profile: TOML, found by its name
  std::optional<std::string> options_file;  ///< -o: lines as they are typed
};

/// Declares --config, --profile, -o and --show-config. In a TOML file the top level is for every program,
/// and the table [mqsub] for mqsub alone.
void declare_file_options(Options& options, FileOptions& files);

}  // namespace mq
