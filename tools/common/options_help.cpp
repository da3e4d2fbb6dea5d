#include <fmt/format.h>

#include <algorithm>

#include "common/options_docs.hpp"

namespace mq {
namespace {

constexpr std::size_t text_column = 30;
constexpr std::size_t name_indent = 2;
constexpr std::size_t long_name_indent = 6;  // where "-t, " would stand

/// Cells on a terminal, for our own texts: one per code point.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Writes words from `column` on, breaking lines at `columns` and indenting those that follow.
void append_wrapped(std::string& out, std::string_view text, std::size_t column, std::size_t indent,
                    std::size_t columns) {
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t space = first ? 0 : 1;
    if (!first && column + space + width_of(word) > columns) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else {
      out.append(space, ' ');
      column += space;
    }
    out += word;
    column += width_of(word);
    first = false;
  }
  out += '\n';
}

std::string names_and_value(const OptionRecord& record) {
  const bool has_short = !record.names.front().starts_with("--") && !record.positional;
  std::string left(has_short || record.positional ? name_indent : long_name_indent, ' ');
  left += fmt::format("{}", fmt::join(record.names, ", "));
  const std::string value = record.positional ? std::string{} : value_name(record);
  if (record.implied)
    left += "[=" + value + "]";
  else if (!value.empty())
    left += " " + value;
  return left;
}

/// The text, but in the help of the command "read" without the "read: " at its beginning.
std::string_view text_without(const OptionRecord& record, std::string_view command) {
  const std::string start = fmt::format("{}: ", command);
  std::string_view text = record.text;
  if (text.starts_with(start)) text.remove_prefix(start.size());
  return text;
}

std::string description(const OptionRecord& record, std::string_view command) {
  const std::string_view text = text_without(record, command);
  std::vector<std::string> notes;
  const std::string joined = fmt::format("{}", fmt::join(record.choices, "|"));
  if (!record.choices.empty() && value_name(record) != joined)
    notes.push_back(fmt::format("one of {}", fmt::join(record.choices, ", ")));
  if (!record.default_text.empty()) notes.push_back(fmt::format("default: {}", record.default_text));
  if (!record.environment.empty()) notes.push_back(fmt::format("environment: {}", record.environment));
  if (notes.empty()) return std::string{text};
  return fmt::format("{} ({})", text, fmt::join(notes, "; "));
}

void append_option(std::string& out, const OptionRecord& record, std::string_view command,
                   std::size_t columns) {
  const std::string left = names_and_value(record);
  out += left;
  if (left.size() + 2 > text_column)
    out += "\n" + std::string(text_column, ' ');
  else
    out.append(text_column - left.size(), ' ');
  append_wrapped(out, description(record, command), text_column, text_column, columns);
}

std::string usage_line(const OwnCommand& command) {
  return fmt::format("{} {}", command.name, command.usage);
}

std::vector<std::string> usage_lines(const Program& program) {
  std::vector<std::string> lines;
  for (const OwnCommand& command : program.own_commands) lines.push_back(usage_line(command));
  if (!program.usage.empty()) lines.push_back(program.usage);
  if (!program.commands.empty()) lines.push_back(fmt::format("{} ...", fmt::join(program.commands, "|")));
  return lines;
}

std::string introduction(const std::string& program, const std::vector<std::string>& usage,
                         std::string_view summary, std::size_t columns) {
  std::string out;
  for (const std::string& line : usage) {
    const std::string start = fmt::format("{} {} ", out.empty() ? "Usage:" : "      ", program);
    out += start;
    append_wrapped(out, line, start.size(), start.size(), columns);
  }
  out += '\n';
  append_wrapped(out, summary, 0, 0, columns);
  return out;
}

/// Of a command: the options that it takes, and the arguments that its usage names.
bool is_shown(const OptionRecord& record, const OwnCommand* command) {
  if (record.hidden || !command) return !record.hidden;
  return record.positional ? command->usage.contains(record.names.front())
                           : record.is_taken_by(command->name);
}

}  // namespace

std::string Options::help(std::size_t columns, std::string_view command_name) const {
  const auto found = std::ranges::find(program_.own_commands, command_name, &OwnCommand::name);
  const OwnCommand* command = found == program_.own_commands.end() ? nullptr : &*found;
  std::string out = command ? introduction(program_.name, {usage_line(*command)}, command->summary, columns)
                            : introduction(program_.name, usage_lines(program_), program_.summary, columns);
  for (const std::string_view group : groups_of(options_)) {
    std::string shown;
    for (const Option& option : options_)
      if (group_of(option.record()) == group && is_shown(option.record(), command))
        append_option(shown, option.record(), command_name, columns);
    if (!shown.empty()) out += fmt::format("\n{}:\n{}", group, shown);
  }
  std::string examples;
  const std::string start = fmt::format("{} {} ", program_.name, command_name);
  for (const Example& example : examples_)
    if (!command || (example.command + " ").contains(start))
      examples += fmt::format("  {}\n    {}\n", example.what, example.command);
  if (!examples.empty()) out += "\nExamples:\n" + examples;
  const bool has_commands = !program_.own_commands.empty() || !program_.commands.empty();
  if (!command && has_commands)
    out += fmt::format("\nThe help of one command: {} COMMAND --help\n", program_.name);
  return out;
}

}  // namespace mq
