#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/options_docs.hpp"

// What the completions of all shells have in common.

namespace mq {

/// What a shell offers for a word, by what stands before it.
struct CompletedPlace {
  const OptionRecord* record;  ///< null: the commands of a program that has no arguments itself
  /// One of these stands before: an option and those of its values that are complete, or all arguments that
  /// are neither, with spaces between them. "*": whatever arguments.
  std::vector<std::string> contexts;
  std::vector<std::string> words;
  Completion completion = Completion::none;
};

/// Options that take a value (also if there is nothing to offer), then arguments.
[[nodiscard]] std::vector<CompletedPlace> completed_places(const Options& options);

/// Neither hidden ones nor arguments.
[[nodiscard]] std::vector<const OptionRecord*> completed_options(const Options& options);

/// Options, and the commands that take them: none for those that all take. All that have the same commands
/// stand together.
struct TakenOptions {
  std::vector<std::string> commands;
  std::vector<const OptionRecord*> options;
};
[[nodiscard]] std::vector<TakenOptions> options_by_commands(const Options& options);

/// Of each of its occurrences; 0 if they can only be given behind a '='.
[[nodiscard]] std::size_t values_behind(const OptionRecord& record);

/// "_mqbench_merge"
[[nodiscard]] std::string function_name(const Options& options);

/// The program, and the command if the options are those of one.
struct ProgramWords {
  std::string program;
  std::string command;
};
[[nodiscard]] ProgramWords program_words(const Options& options);

/// As much of the option's text as a list of options has room for.
[[nodiscard]] std::string_view brief_text(const OptionRecord& record);

/// "'0 1 2'" for a shell, of words with which no shell has anything to do.
[[nodiscard]] std::string quoted_words(const std::vector<std::string>& words);

}  // namespace mq
