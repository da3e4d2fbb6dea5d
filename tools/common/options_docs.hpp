#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/options.hpp"

namespace mq {

/// What is made of a program's records for --print-docs, besides --help.
enum class Docs : std::uint8_t { man, bash, fish, zsh, json };

[[nodiscard]] std::string print_docs(const Options& options, Docs kind);

/// In mdoc, what stands in the section OPTIONS of a man page: a subsection for each group.
[[nodiscard]] std::string man_options(const Options& options);

/// Scripts for shells, and all records for those who read them by program. Of a program with commands that
/// have options of their own, the parts of these follow its part.
[[nodiscard]] std::string bash_completion(const Options& options);
[[nodiscard]] std::string fish_completion(const Options& options);
[[nodiscard]] std::string zsh_completion(const Options& options);
[[nodiscard]] std::string json_records(const Options& options);

/// What stands for the value in an option's usage: its own name, or one that says what kind it is.
[[nodiscard]] std::string value_name(const OptionRecord& record);

/// In order of declaration; that of --help, which is declared first, comes last. Without hidden options.
[[nodiscard]] std::vector<std::string_view> groups_of(const std::deque<Option>& options);
[[nodiscard]] std::string_view group_of(const OptionRecord& record);

}  // namespace mq
