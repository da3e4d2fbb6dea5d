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

std::string description(const OptionRecord& record) {
  std::vector<std::string> notes;
  const std::string joined = fmt::format("{}", fmt::join(record.choices, "|"));
  if (!record.choices.empty() && value_name(record) != joined)
    notes.push_back(fmt::format("one of {}", fmt::join(record.choices, ", ")));
  if (!record.default_text.empty()) notes.push_back(fmt::format("default: {}", record.default_text));
  if (!record.environment.empty()) notes.push_back(fmt::format("environment: {}", record.environment));
  if (notes.empty()) return record.text;
  return fmt::format("{} ({})", record.text, fmt::join(notes, "; "));
}

void append_option(std::string& out, const OptionRecord& record, std::size_t columns) {
  const std::string left = names_and_value(record);
  out += left;
  if (left.size() + 2 > text_column)
    out += "\n" + std::string(text_column, ' ');
  else
    out.append(text_column - left.size(), ' ');
  append_wrapped(out, description(record), text_column, text_column, columns);
}

}  // namespace

std::string Options::help(std::size_t columns) const {
  const std::string start = fmt::format("Usage: {} ", program_.name);
  std::string out = start;
  append_wrapped(out, program_.usage, start.size(), start.size(), columns);
  out += '\n';
  append_wrapped(out, program_.summary, 0, 0, columns);
  for (const std::string_view group : groups_of(options_)) {
    out += fmt::format("\n{}:\n", group);
    for (const Option& option : options_)
      if (!option.record().hidden && group_of(option.record()) == group)
        append_option(out, option.record(), columns);
  }
  if (!examples_.empty()) out += "\nExamples:\n";
  for (const Example& example : examples_)
    out += fmt::format("  {}\n    {}\n", example.what, example.command);
  return out;
}

}  // namespace mq
