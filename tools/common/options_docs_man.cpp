#include <fmt/format.h>

#include <algorithm>

#include "common/options_docs.hpp"

namespace mq {
namespace {

constexpr std::size_t line_max = 78;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// With what roff would take for an escape made plain.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\\' ? std::string{"\\e"} : std::string(1, c);
  return out;
}

/// The same as one word of a macro's line, where quotes, some punctuation and the names of macros mean
/// something.
std::string argument(std::string_view word) {
  constexpr std::size_t macro_max = 3;
  const bool macro = word.size() >= 2 && word.size() <= macro_max && is_upper(word[0]) &&
                     std::ranges::all_of(word.substr(1), is_lower);
  const bool delimiter = word.size() == 1 && std::string_view{".,:;()[]?!|"}.contains(word[0]);
  std::string out{macro || delimiter ? "\\&" : ""};
  for (const char c : plain(word)) out += c == '"' ? std::string{"\\(dq"} : std::string(1, c);
  return out;
}

template <class Use>
void for_each_word(std::string_view text, char separator, Use use) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// "-t", "--topic"
bool is_option_name(std::string_view word) {
  if (word.size() == 2) return word[0] == '-' && (is_lower(word[1]) || is_upper(word[1]));
  return word.starts_with("--") && word.size() > 3 && is_lower(word[2]) && !word.ends_with('-') &&
         std::ranges::all_of(word.substr(2),
                             [](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '-'; });
}

/// "Fl t", "Fl -topic": the macro writes the first dash.
std::string flag(std::string_view name) { return fmt::format("Fl {}", name.substr(1)); }

/// "FROM TO", "text|json", "X|max": what a user replaces is in capitals, the rest is typed as it is.
std::string value_words(std::string_view name) {
  std::string out;
  for_each_word(name, '|', [&](std::string_view alternative) {
    const bool replaced = std::ranges::any_of(alternative, is_upper);
    out += fmt::format("{} {}", out.empty() ? "" : " |", replaced ? "Ar" : "Cm");
    for_each_word(alternative, ' ', [&](std::string_view word) { out += " " + argument(word); });
  });
  return out;
}

std::string item(const OptionRecord& record) {
  if (record.positional) return fmt::format(".It Ar {}\n", argument(record.names.front()));
  std::string out{".It"};
  for (const std::string& name : record.names)
    out += fmt::format("{} {}", &name == &record.names.front() ? "" : " ,", flag(name));
  const std::string value = value_words(value_name(record));
  if (record.implied) return fmt::format("{} Ns Oo = Ns{} Oc\n", out, value);
  return fmt::format("{}{}\n", out, value);
}

/// Sentences of mdoc: each begins a line, and what names options stands in lines of its own.
class Prose {
 public:
  /// `values` are names of values, which are marked where they occur.
  Prose(std::string_view text, std::string_view values) : values_{values} {
    // "capture: the network interface": for this command alone, or the meaning of this choice.
    const std::string_view first = text.substr(0, text.find(' '));
    if (first.ends_with(':') && std::ranges::all_of(first.substr(0, first.size() - 1), is_lower)) {
      add_macro("", fmt::format("Cm {}", first.substr(0, first.size() - 1)), ":");
      text.remove_prefix(first.size());
    }
    for_each_word(text, ' ', [this](std::string_view word) { add_word(word); });
    end_line();
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void add_word(std::string_view word) {
    const std::size_t begin = std::min(word.find_first_not_of('('), word.size());
    const std::size_t end = std::max(word.find_last_not_of(".,;:)") + 1, begin);
    const std::string_view middle = word.substr(begin, end - begin);
    if (is_option_name(middle))
      add_macro(word.substr(0, begin), flag(middle), word.substr(end));
    else if (is_value_name(middle))
      add_macro(word.substr(0, begin), fmt::format("Ar {}", middle), word.substr(end));
    else
      add_plain(word);
    if (is_end_of_sentence(word)) end_line();
  }

  void add_macro(std::string_view opening, std::string_view call, std::string_view closing) {
    end_line();
    // An opening parenthesis belongs behind the macro's name, which leaves it plain.
    const std::size_t name_end = call.find(' ');
    out_ += fmt::format(".{}", call.substr(0, name_end));
    for (const char c : opening) out_ += fmt::format(" {}", c);
    out_ += call.substr(name_end);
    for (const char c : closing) out_ += fmt::format(" {}", c);
    out_ += '\n';
  }

  void add_plain(std::string_view word) {
    if (!line_.empty() && line_.size() + 1 + word.size() > line_max) end_line();
    line_ += line_.empty() ? plain(word) : " " + plain(word);
  }

  void end_line() {
    // At its begin roff would take these for a request.
    if (line_.starts_with('.') || line_.starts_with('\'')) out_ += "\\&";
    if (!line_.empty()) out_ += line_ + '\n';
    line_.clear();
  }

  static bool is_end_of_sentence(std::string_view word) {
    return word.size() > 1 && (word.ends_with('.') || word.ends_with(".)")) && !word.ends_with("..");
  }

  [[nodiscard]] bool is_value_name(std::string_view word) const {
    bool found = false;
    if (word.size() < 2 || !std::ranges::all_of(word, is_upper)) return false;
    for_each_word(values_, ' ', [&](std::string_view value) { found = found || value == word; });
    return found;
  }

  std::string_view values_;
  std::string line_;
  std::string out_;
};

/// A sentence: records have neither a capital at the begin nor a full stop at the end.
std::string as_sentence(std::string_view text) {
  std::string out{text};
  const std::string_view first = text.substr(0, text.find(' '));
  if (std::ranges::all_of(first, is_lower)) out[0] = static_cast<char>(out[0] & ~0x20);
  if (!out.ends_with('.')) out += '.';
  return out;
}

void append_names(std::string& out, std::string_view start, const Options& options,
                  const std::vector<std::string>& names) {
  if (names.empty()) return;
  out += start;
  for (std::size_t n = 0; n < names.size(); ++n) {
    const bool last = n + 1 == names.size();
    if (last && n > 0) out += "or\n";
    out += fmt::format(".{}{}\n", flag(options.find(names[n]).record().main_name()),
                       last                   ? " ."
                       : n + 2 < names.size() ? " ,"
                                              : "");
  }
}

std::string notes(const Options& options, const OptionRecord& record) {
  std::string out;
  const bool are_listed = value_name(record) == fmt::format("{}", fmt::join(record.choices, "|"));
  if (!record.choices.empty() && !are_listed)
    out += fmt::format("One of\n.Cm {} .\n", fmt::join(record.choices, " , "));
  if (!record.default_text.empty()) out += Prose{fmt::format("Default: {}.", record.default_text), ""}.take();
  if (!record.environment.empty()) out += fmt::format("Environment:\n.Ev {} .\n", record.environment);
  append_names(out, "Needs\n", options, record.needs);
  append_names(out, "Not together with\n", options, record.excludes);
  for (const std::string& example : record.examples) {
    out += "Example:\n.Dl";
    for_each_word(example, ' ', [&](std::string_view word) { out += " " + argument(word); });
    out += '\n';
  }
  return out;
}

}  // namespace

std::string man_options(const Options& options) {
  std::string out;
  for (const std::string_view group : groups_of(options.all())) {
    out += fmt::format(".Ss {}\n.Bl -tag -width Ds\n", group);
    for (const Option& option : options.all()) {
      const OptionRecord& record = option.record();
      if (record.hidden || group_of(record) != group) continue;
      out +=
          item(record) + Prose{as_sentence(record.text), value_name(record)}.take() + notes(options, record);
    }
    out += ".El\n";
  }
  return out;
}

}  // namespace mq
