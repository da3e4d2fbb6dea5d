#include "common/secret_options.hpp"

#include <fmt/format.h>

#include "common/value_checks.hpp"

namespace mq {

void declare_secret_options(Options& options, SecretSource& secret, std::string_view stem,
                            std::string_view what, std::string_view group,
                            std::vector<std::string> also_excluded) {
  const auto name = [stem](std::string_view suffix) { return fmt::format("{}{}", stem, suffix); };
  const std::string file = name("-file"), variable = name("-env"), command = name("-cmd"),
                    prompt = name("-prompt");
  const auto declare = [&](Option& option, std::string text,
                           std::initializer_list<std::string_view> later) -> Option& {
    option.group(group).text(text).excludes(later);
    for (const std::string& other : also_excluded) option.excludes({other});
    return option;
  };
  declare(options.text(file, secret.file),
          fmt::format("{} is in this file, without the newline at its end", what),
          {variable, command, prompt})
      .file()
      .must(not_empty);
  declare(options.text(variable, secret.environment), fmt::format("{} is in this environment variable", what),
          {command, prompt})
      .metavar("NAME")
      .completes(Completion::variable)
      .must(not_empty);
  declare(options.text(command, secret.command), fmt::format("{} is what this command writes", what),
          {prompt})
      .metavar("COMMAND")
      .must(not_empty);
  declare(options.flag(prompt, secret.prompt), fmt::format("ask for {} on the terminal", what), {});
}

}  // namespace mq
