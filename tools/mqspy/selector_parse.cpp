#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include <mqtt/codec/topic.hpp>
#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "mqspy/selector.hpp"
#include "mqspy/selector_names.hpp"

namespace mq::spy {
namespace {

/// Deeper nesting is no selector that anybody means, and would use up the stack.
constexpr unsigned depth_max = 64;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// What can stand in a name, and in a value without quotes.
bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-';
}
bool is_word_character(char c) {
  constexpr std::string_view ends = " \t\r\n()[]&|!=<>~\"'";
  return ends.find(c) == ends.npos;
}

bool is_control(std::string_view word) { return word == "do" || word == "within"; }

std::optional<double> plain_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) {
    std::uint64_t number = 0;
    const auto [end, fault] = std::from_chars(text.data() + 2, text.data() + text.size(), number, 16);
    if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return static_cast<double>(number);
  }
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// With the units of sizes.
std::optional<double> size_number(std::string_view text) {
  if (const auto number = plain_number(text)) return number;
  const auto size = mqtt::parse_size(text);
  return size ? std::optional{static_cast<double>(*size)} : std::nullopt;
}

/// Microseconds. A bare number is what JSON lines have.
std::optional<double> microseconds(std::string_view text) {
  if (const auto number = plain_number(text)) return number;
  const auto duration = mqtt::parse_duration(text);
  if (!duration) return std::nullopt;
  return std::chrono::duration<double, std::micro>{*duration}.count();
}

std::optional<double> flag_number(std::string_view text) {
  if (text == "1" || text == "true") return 1;
  if (text == "0" || text == "false") return 0;
  return std::nullopt;
}

}  // namespace

class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) : text_{text} {}

  std::expected<Selector::Front, SelectorFault> parse() {
    const auto root = parse_any(0);
    if (fault_) return std::unexpected(std::move(*fault_));
    made_.root_ = root;
    skip_blanks();
    return Selector::Front{std::move(made_), at_};
  }

 private:
  using Operator = Selector::Operator;
  using Join = Selector::Join;

  std::size_t add(Selector::Node node) {
    made_.nodes_.push_back(std::move(node));
    return made_.nodes_.size() - 1;
  }

  /// The first fault counts.
  std::size_t refuse(std::size_t at, std::string what) {
    if (!fault_) fault_ = SelectorFault{at + 1, std::move(what)};
    return 0;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  bool take(std::string_view token) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  std::size_t parse_any(unsigned depth) { return parse_joined(Join::any, "||", depth); }
  std::size_t parse_all(unsigned depth) { return parse_joined(Join::all, "&&", depth); }

  std::size_t parse_joined(Join join, std::string_view token, unsigned depth) {
    std::vector<std::size_t> parts;
    do parts.push_back(join == Join::any ? parse_all(depth) : parse_one(depth));
    while (!fault_ && take(token));
    return parts.size() == 1 ? parts.front() : add({.join = join, .parts = std::move(parts)});
  }

  std::size_t parse_one(unsigned depth) {
    skip_blanks();
    if (depth == depth_max) return refuse(at_, fmt::format("more than {} levels deep", depth_max));
    if (take("!")) {
      Selector::Node negation;
      negation.join = Join::none;
      negation.parts.push_back(parse_one(depth + 1));
      return add(std::move(negation));
    }
    if (take("(")) {
      const std::size_t inner = parse_any(depth + 1);
      return fault_ || take(")") ? inner : refuse(at_, "\")\" is missing");
    }
    return parse_term();
  }

  std::string_view take_name() {
    skip_blanks();
    const std::size_t start = at_;
    while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  std::size_t parse_term() {
    skip_blanks();
    const std::size_t start = at_;
    const std::string_view name = take_name();
    if (name.empty()) return refuse(start, "a name is missing");
    if (name == "has" && take("(")) return parse_has();
    const auto field = find_field(name);
    if (!field) return refuse_name(start, name);
    Selector::Term term{.name = field->name, .flag = field->kind == FieldKind::flag};
    term.op = take_operator();
    if (term.op != Operator::present) parse_value(term, field->kind);
    return add({.term = std::move(term)});
  }

  std::size_t refuse_name(std::size_t at, std::string_view name) {
    return refuse(at, in_quotes(name) + " is no name that packets have");
  }

  std::size_t parse_has() {
    skip_blanks();
    const std::size_t start = at_;
    const std::string_view name = take_name();
    const auto field = find_field(name);
    if (!field) return name.empty() ? refuse(start, "a name is missing") : refuse_name(start, name);
    if (!take(")")) return refuse(at_, "\")\" is missing");
    return add({.term = {.name = field->name}});
  }

  Operator take_operator() {
    struct Spelling {
      std::string_view text;
      Operator op;
    };
    // The longer ones first.
    constexpr std::array<Spelling, 9> spellings{{{"==", Operator::equal},
                                                 {"!=", Operator::unequal},
                                                 {"!~", Operator::not_found},
                                                 {"<=", Operator::less_equal},
                                                 {">=", Operator::greater_equal},
                                                 {"=", Operator::equal},
                                                 {"<", Operator::less},
                                                 {">", Operator::greater},
                                                 {"~", Operator::found}}};
    operator_at_ = (skip_blanks(), at_);
    for (const auto& [text, op] : spellings)
      if (take(text)) return op;
    const std::size_t before = at_;
    if (take_name() == "matches") return Operator::topic;
    at_ = before;
    return Operator::present;
  }

  /// In quotes, where a backslash makes the next character one of the text; or a word.
  std::optional<std::string> take_value() {
    skip_blanks();
    value_at_ = at_;
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return take_quoted();
    const std::size_t start = at_;
    while (at_ < text_.size() && is_word_character(text_[at_])) ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    if (word.empty() || is_control(word)) {
      refuse(start, "a value is missing");
      return std::nullopt;
    }
    return std::string{word};
  }

  std::optional<std::string> take_quoted() {
    const char quote = text_[at_++];
    std::string value;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        return value;
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && (text_[at_ + 1] == quote || text_[at_ + 1] == '\\'))
        ++at_;
      value += text_[at_];
    }
    refuse(value_at_, "the quotation mark is not closed");
    return std::nullopt;
  }

  void parse_value(Selector::Term& term, FieldKind kind) {
    auto value = take_value();
    if (!value) return;
    term.text = std::move(*value);
    switch (term.op) {
      case Operator::found:
      case Operator::not_found: return compile(term, kind);
      case Operator::topic: return check_filter(term, kind);
      default: return convert(term, kind);
    }
  }

  static bool is_text(FieldKind kind) {
    return kind == FieldKind::text || kind == FieldKind::payload || kind == FieldKind::choice ||
           kind == FieldKind::reason;
  }

  void compile(Selector::Term& term, FieldKind kind) {
    if (!is_text(kind)) return static_cast<void>(refuse(operator_at_, "~ looks at text, which this is not"));
    auto regex = Regex::compile(term.text);
    if (regex)
      term.regex = std::move(*regex);
    else
      refuse(value_at_,
             fmt::format("{} is not a regular expression: {}", in_quotes(term.text), regex.error()));
  }

  void check_filter(const Selector::Term& term, FieldKind kind) {
    if (kind != FieldKind::text)
      return static_cast<void>(refuse(operator_at_, "\"matches\" looks at topics, which this is not"));
    if (const auto fault = mqtt::find_topic_filter_error(term.text))
      refuse(value_at_, fmt::format("{} is no topic filter: {}", in_quotes(term.text), fault->what));
  }

  bool orders(Operator op) const {
    return op == Operator::less || op == Operator::less_equal || op == Operator::greater ||
           op == Operator::greater_equal;
  }

  void convert(Selector::Term& term, FieldKind kind) {
    const bool compares_text = kind == FieldKind::text || kind == FieldKind::choice;
    if (orders(term.op) && (compares_text || kind == FieldKind::flag))
      return static_cast<void>(refuse(operator_at_, "this has no order: == != ~ can be asked of it"));
    switch (kind) {
      case FieldKind::text: return;
      case FieldKind::choice: return convert_choice(term);
      case FieldKind::number: return keep(term, size_number(term.text), "a number");
      case FieldKind::flag: return keep(term, flag_number(term.text), "0 or 1");
      case FieldKind::duration: return keep(term, microseconds(term.text), "a duration like 50ms");
      case FieldKind::version: return keep(term, version_number(term.text), "a version: 5, 3.1.1 or 3.1");
      case FieldKind::reason:
      case FieldKind::payload: break;
    }
    term.number = plain_number(term.text);
    if (!term.number && orders(term.op)) keep(term, std::nullopt, "a number");
    // "1.0" is another payload than "1".
    if (kind == FieldKind::payload && !orders(term.op)) term.number.reset();
  }

  void convert_choice(Selector::Term& term) {
    auto word = choice_word(term.name.field, term.text);
    if (word)
      term.text = std::move(*word);
    else
      refuse(value_at_, fmt::format("{} is {}", in_quotes(term.text), word.error()));
  }

  void keep(Selector::Term& term, std::optional<double> number, std::string_view wanted) {
    term.number = number;
    if (!number) refuse(value_at_, fmt::format("{} is not {}", in_quotes(term.text), wanted));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t operator_at_ = 0;
  std::size_t value_at_ = 0;
  Selector made_;
  std::optional<SelectorFault> fault_;
};

std::expected<Selector::Front, SelectorFault> Selector::parse_front(std::string_view text) {
  return SelectorParser{text}.parse();
}

std::expected<Selector, SelectorFault> Selector::parse(std::string_view text) {
  auto front = parse_front(text);
  if (!front) return std::unexpected(std::move(front.error()));
  if (front->size < text.size())
    return std::unexpected(SelectorFault{front->size + 1, "\"&&\" or \"||\" is missing"});
  return std::move(front->selector);
}

}  // namespace mq::spy
