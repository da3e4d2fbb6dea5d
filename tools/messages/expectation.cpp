#include "messages/expectation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include <mqtt/codec/topic.hpp>
#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/json_text.hpp"
#include "common/spelling.hpp"
#include "messages/regex.hpp"

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PublishView;
using Json = nlohmann::json;
using Test = std::function<bool(const PublishView&)>;
using ParsedTest = std::expected<Test, std::string>;

/// What a term looks at: nothing if the message does not have it.
using Subject = std::function<std::optional<std::string_view>(const PublishView&)>;

enum class Operator { exists, equal, unequal, less, less_equal, greater, greater_equal, found, not_found };

struct Spelling {
  std::string_view text;
  Operator op;
};

/// The longer ones first.
constexpr std::array spellings{Spelling{"!=", Operator::unequal},    Spelling{"!~", Operator::not_found},
                               Spelling{"<=", Operator::less_equal}, Spelling{">=", Operator::greater_equal},
                               Spelling{"=", Operator::equal},       Spelling{"<", Operator::less},
                               Spelling{">", Operator::greater},     Spelling{"~", Operator::found}};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// A term, cut.
struct Cut {
  std::string_view subject;
  Operator op = Operator::exists;
  std::string_view value;
};

/// In a pointer "~0" and "~1" stand for '~' and '/' (RFC 6901, 3).
bool is_pointer_escape(std::string_view rest) {
  return rest.size() > 1 && rest[0] == '~' && (rest[1] == '0' || rest[1] == '1');
}

Cut cut_term(std::string_view term) {
  const bool pointer = term.starts_with('/');
  for (std::size_t at = 0; at < term.size(); ++at) {
    if (pointer && is_pointer_escape(term.substr(at))) continue;
    for (const Spelling& each : spellings)
      if (term.substr(at).starts_with(each.text))
        return {trimmed(term.substr(0, at)), each.op, trimmed(term.substr(at + each.text.size()))};
  }
  return {.subject = term, .op = Operator::exists, .value = {}};
}

/// At each "&&" that is not inside double quotes.
std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> terms;
  bool quoted = false;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      quoted = !quoted;
    else if (!quoted && text.substr(at).starts_with("&&")) {
      terms.push_back(trimmed(text.substr(start, at - start)));
      start = ++at + 1;
    }
  }
  terms.push_back(trimmed(text.substr(std::min(start, text.size()))));
  return terms;
}

/// The value as text: what is in double quotes is a JSON string.
std::expected<std::string, std::string> text_of(std::string_view value) {
  if (!value.starts_with('"')) return std::string{value};
  const Json parsed = Json::parse(value, nullptr, false);
  if (!parsed.is_string()) return std::unexpected(fmt::format("{} is not a JSON string", in_quotes(value)));
  return parsed.get<std::string>();
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class T>
bool compares(const T& a, Operator op, const T& b) {
  switch (op) {
    case Operator::less: return a < b;
    case Operator::less_equal: return a <= b;
    case Operator::greater: return a > b;
    case Operator::greater_equal: return a >= b;
    case Operator::unequal: return a != b;
    default: return a == b;
  }
}

bool orders(Operator op) {
  return op == Operator::less || op == Operator::less_equal || op == Operator::greater ||
         op == Operator::greater_equal;
}

ParsedTest regex_test(Subject subject, Operator op, const std::string& pattern) {
  auto regex = Regex::compile(pattern);
  if (!regex)
    return std::unexpected(
        fmt::format("{} is not a regular expression: {}", in_quotes(pattern), regex.error()));
  return [subject = std::move(subject), op, regex = std::move(*regex)](const PublishView& message) {
    const auto text = subject(message);
    return text && regex.found_in(*text) == (op == Operator::found);
  };
}

ParsedTest number_test(Subject subject, Operator op, const std::string& value) {
  const auto number = number_in(value);
  if (!number) return std::unexpected(in_quotes(value) + " is not a number to compare with");
  return [subject = std::move(subject), op, wanted = *number](const PublishView& message) {
    const auto text = subject(message);
    const auto found = text ? number_in(*text) : std::nullopt;
    return found && compares(*found, op, wanted);
  };
}

ParsedTest text_test(Subject subject, const Cut& term) {
  if (term.op == Operator::exists)
    return
        [subject = std::move(subject)](const PublishView& message) { return subject(message).has_value(); };
  auto value = text_of(term.value);
  if (!value) return std::unexpected(std::move(value.error()));
  if (term.op == Operator::found || term.op == Operator::not_found)
    return regex_test(std::move(subject), term.op, *value);
  if (orders(term.op)) return number_test(std::move(subject), term.op, *value);
  return
      [subject = std::move(subject), op = term.op, wanted = std::move(*value)](const PublishView& message) {
        const auto text = subject(message);
        return text && compares(*text, op, std::string_view{wanted});
      };
}

ParsedTest topic_test(const Cut& term) {
  const auto topic = [](const PublishView& message) { return std::optional{message.topic}; };
  if (term.op != Operator::equal && term.op != Operator::unequal) return text_test(topic, term);
  auto filter = text_of(term.value);
  if (!filter) return std::unexpected(std::move(filter.error()));
  if (const auto fault = mqtt::find_topic_filter_error(*filter))
    return std::unexpected(fmt::format("{} is no topic filter: {}", in_quotes(*filter), fault->what));
  return [op = term.op, filter = std::move(*filter)](const PublishView& message) {
    return mqtt::topic_matches(filter, message.topic) == (op == Operator::equal);
  };
}

Subject property_subject(PropertyId id) {
  return [id](const PublishView& message) { return message.properties.text(id); };
}

/// The first one with this key.
Subject user_subject(std::string_view key) {
  return [key = std::string{key}](const PublishView& message) -> std::optional<std::string_view> {
    for (const mqtt::PropertyView& property : message.properties)
      if (property.id == PropertyId::user_property && property.key == key) return property.text;
    return std::nullopt;
  };
}

/// Of what can only have a few values a misspelt one would wait for ever.
std::optional<std::string> number_fault(std::string_view name, std::string_view value, double max) {
  const auto number = number_in(value);
  if (number && *number >= 0 && *number <= max) return std::nullopt;
  return fmt::format("{} of {} is not a number from 0 to {}", in_quotes(value), name, max);
}

std::optional<Subject> subject_of(std::string_view name) {
  constexpr std::array<std::string_view, 3> digits{"0", "1", "2"};
  if (name == "payload") return [](const PublishView& m) { return std::optional{mqtt::as_text(m.payload)}; };
  if (name == "content-type") return property_subject(PropertyId::content_type);
  if (name == "response-topic") return property_subject(PropertyId::response_topic);
  if (name == "qos")
    return [=](const PublishView& m) { return std::optional{digits[mqtt::to_number(m.qos)]}; };
  if (name == "retain") return [=](const PublishView& m) { return std::optional{digits[m.retain ? 1 : 0]}; };
  if (name.starts_with("user.")) return user_subject(name.substr(5));
  return std::nullopt;
}

// JSON pointers.

std::string unescaped(std::string_view token) {
  std::string text;
  for (std::size_t at = 0; at < token.size(); ++at)
    if (is_pointer_escape(token.substr(at)))
      text += token[++at] == '0' ? '~' : '/';
    else
      text += token[at];
  return text;
}

std::vector<std::string> pointer_tokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // '/'
    const std::size_t slash = pointer.find('/');
    tokens.push_back(unescaped(pointer.substr(0, slash)));
    pointer.remove_prefix(std::min(slash, pointer.size()));
  }
  return tokens;
}

const Json* member(const Json& value, const std::string& token) {
  if (value.is_object()) {
    const auto at = value.find(token);
    return at == value.end() ? nullptr : &*at;
  }
  const auto index = mqtt::parse_number<std::size_t>(token);
  if (!value.is_array() || !index || *index >= value.size()) return nullptr;
  return &value[*index];
}

const Json* find(const Json& document, const std::vector<std::string>& tokens) {
  const Json* at = &document;
  for (const std::string& token : tokens)
    if (!(at = member(*at, token))) return nullptr;
  return at;
}

bool comparable(const Json& a, const Json& b) {
  return (a.is_number() && b.is_number()) || (a.is_string() && b.is_string());
}

bool json_compares(const Json& found, Operator op, const Json& wanted) {
  if (orders(op) && !comparable(found, wanted)) return false;
  return compares(found, op, wanted);
}

/// Deeper JSON than is_json_text() takes is none here either: comparing it would recurse.
Json parse_payload(mqtt::Bytes payload) {
  const std::string_view text = mqtt::as_text(payload);
  if (!mqtt::is_mqtt_utf8(payload) || !is_json_text(text)) return Json::value_t::discarded;
  return Json::parse(text, nullptr, false);
}

std::string text_form(const Json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ParsedTest pointer_regex_test(std::vector<std::string> tokens, const Cut& term) {
  auto pattern = text_of(term.value);
  if (!pattern) return std::unexpected(std::move(pattern.error()));
  auto regex = Regex::compile(*pattern);
  if (!regex)
    return std::unexpected(
        fmt::format("{} is not a regular expression: {}", in_quotes(*pattern), regex.error()));
  return [tokens = std::move(tokens), op = term.op, regex = std::move(*regex)](const PublishView& message) {
    const Json document = parse_payload(message.payload);
    const Json* found = document.is_discarded() ? nullptr : find(document, tokens);
    return found && regex.found_in(text_form(*found)) == (op == Operator::found);
  };
}

ParsedTest pointer_test(const Cut& term) {
  std::vector<std::string> tokens = pointer_tokens(term.subject);
  if (term.op == Operator::found || term.op == Operator::not_found)
    return pointer_regex_test(std::move(tokens), term);
  const bool is_json = mqtt::is_mqtt_utf8(mqtt::as_bytes(term.value)) && is_json_text(term.value);
  Json wanted = is_json ? Json::parse(term.value, nullptr, false) : Json(std::string{term.value});
  return [tokens = std::move(tokens), op = term.op, wanted = std::move(wanted)](const PublishView& message) {
    const Json document = parse_payload(message.payload);
    const Json* found = document.is_discarded() ? nullptr : find(document, tokens);
    return found && (op == Operator::exists || json_compares(*found, op, wanted));
  };
}

ParsedTest parse_term(std::string_view text) {
  if (text.empty()) return std::unexpected("a term is missing");
  const Cut term = cut_term(text);
  if (term.subject.starts_with('/')) return pointer_test(term);
  if (term.subject == "topic") return topic_test(term);
  const bool is_qos = term.subject == "qos";
  if (is_qos || term.subject == "retain")
    if (auto fault = number_fault(term.subject, term.value, is_qos ? 2 : 1)) return std::unexpected(*fault);
  auto subject = subject_of(term.subject);
  if (!subject)
    return std::unexpected(
        fmt::format("{} is none of topic, payload, qos, retain, content-type, response-topic, user.KEY and a "
                    "JSON pointer",
                    in_quotes(term.subject)));
  return text_test(std::move(*subject), term);
}

}  // namespace

std::expected<Expectation, std::string> Expectation::parse(std::string_view text) {
  Expectation expectation;
  for (const std::string_view each : split_terms(text)) {
    auto term = parse_term(each);
    if (!term) return std::unexpected(std::move(term.error()));
    expectation.terms_.push_back(std::move(*term));
  }
  return expectation;
}

bool Expectation::matches(const mqtt::PublishView& message) const {
  return std::ranges::all_of(terms_, [&message](const Term& term) { return term(message); });
}

}  // namespace mq
