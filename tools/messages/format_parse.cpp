#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "messages/format_segment.hpp"

namespace mq {
namespace {

using Field = FormatField;
using Filter = FormatFilter;
using Fault = std::optional<std::string>;

/// Wider columns than this nobody can mean.
constexpr std::uint32_t width_max = 65'535;
constexpr std::string_view decimal_digits = "0123456789";

struct Letter {
  char letter;
  Field field;
};

/// As mosquitto_sub(1) has them.
constexpr std::array letters{Letter{'A', Field::topic_alias},
                             Letter{'C', Field::content_type},
                             Letter{'D', Field::correlation_data},
                             Letter{'E', Field::message_expiry_interval},
                             Letter{'F', Field::payload_format_indicator},
                             Letter{'I', Field::iso_time},
                             Letter{'J', Field::mosquitto_json_parsed},
                             Letter{'P', Field::user_properties},
                             Letter{'R', Field::response_topic},
                             Letter{'S', Field::subscription_id},
                             Letter{'U', Field::unix_time},
                             Letter{'X', Field::payload_hex_upper},
                             Letter{'d', Field::payload_double},
                             Letter{'f', Field::payload_float},
                             Letter{'j', Field::mosquitto_json},
                             Letter{'l', Field::length},
                             Letter{'m', Field::packet_id},
                             Letter{'p', Field::payload},
                             Letter{'q', Field::qos},
                             Letter{'r', Field::retain},
                             Letter{'t', Field::topic},
                             Letter{'x', Field::payload_hex}};

using Name = std::pair<std::string_view, Field>;

/// As the keys of --json.
constexpr std::array field_names{Name{"topic", Field::topic},
                                 Name{"payload", Field::payload},
                                 Name{"len", Field::length},
                                 Name{"qos", Field::qos},
                                 Name{"retain", Field::retain},
                                 Name{"dup", Field::dup},
                                 Name{"id", Field::packet_id},
                                 Name{"time", Field::rfc3339},
                                 Name{"ts", Field::unix_time},
                                 Name{"latency", Field::latency},
                                 Name{"json", Field::json},
                                 Name{"content_type", Field::content_type},
                                 Name{"correlation_data", Field::correlation_data},
                                 Name{"message_expiry_interval", Field::message_expiry_interval},
                                 Name{"payload_format_indicator", Field::payload_format_indicator},
                                 Name{"response_topic", Field::response_topic},
                                 Name{"subscription_identifiers", Field::subscription_ids},
                                 Name{"user_properties", Field::user_properties}};

using FilterName = std::pair<std::string_view, Filter>;
constexpr std::array filters{FilterName{"json", Filter::json}, FilterName{"sh", Filter::sh},
                             FilterName{"hex", Filter::hex},   FilterName{"base64", Filter::base64},
                             FilterName{"url", Filter::url},   FilterName{"csv", Filter::csv}};

constexpr std::array escapes{std::pair{'\\', '\\'},  std::pair{'0', '\0'}, std::pair{'a', '\a'},
                             std::pair{'e', '\x1b'}, std::pair{'n', '\n'}, std::pair{'r', '\r'},
                             std::pair{'t', '\t'},   std::pair{'v', '\v'}};

class Parser {
 public:
  explicit Parser(std::string_view format) : rest_{format} {}

  std::expected<std::vector<FormatSegment>, std::string> parse() {
    while (!rest_.empty())
      if (auto fault = parse_one()) return std::unexpected(std::move(*fault));
    return std::move(segments_);
  }

 private:
  Fault parse_one();
  Fault parse_percent();
  Fault parse_long(FormatSegment segment);
  Fault parse_date();
  Fault parse_escape();
  Fault parse_size(FormatSegment& segment, std::string_view& text);
  Fault parse_parts(FormatSegment& segment, std::string_view inner);
  void literal(std::string_view text);

  /// Takes the first character; nothing at the end.
  std::optional<char> take() {
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::string_view rest_;
  std::vector<FormatSegment> segments_;
};

Fault ends_too_early(char mark) {
  return fmt::format("it ends behind '{}': for that write '{}{}'", mark, mark, mark);
}

bool take_if(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::uint32_t> take_number(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of(decimal_digits), text.size());
  const auto number = mqtt::parse_number<std::uint32_t>(text.substr(0, end));
  text.remove_prefix(end);
  if (!number || *number > width_max) return std::nullopt;
  return number;
}

bool starts_with_digit(std::string_view text) {
  return !text.empty() && decimal_digits.find(text[0]) != decimal_digits.npos;
}

/// strftime leaves alone what it does not know.
bool is_date_letter(char letter) {
  const char format[] = {'%', letter, '\0'};
  std::array<char, 128> text{};
  std::tm day{};
  day.tm_mday = 1;
  const std::size_t size = std::strftime(text.data(), text.size(), format, &day);
  const bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
  return is_letter && std::string_view{text.data(), size} != std::string_view{format, 2};
}

void Parser::literal(std::string_view text) {
  if (segments_.empty() || segments_.back().field != Field::literal) segments_.emplace_back();
  segments_.back().text += text;
}

Fault Parser::parse_one() {
  const std::size_t plain = std::min(rest_.find_first_of("%@\\"), rest_.size());
  if (plain > 0) {
    literal(rest_.substr(0, plain));
    rest_.remove_prefix(plain);
    return std::nullopt;
  }
  switch (*take()) {
    case '%': return parse_percent();
    case '@': return parse_date();
    default: return parse_escape();
  }
}

/// [-][0][WIDTH][.PRECISION]
Fault Parser::parse_size(FormatSegment& segment, std::string_view& text) {
  const auto too_large = [] { return fmt::format("a width goes up to {}", width_max); };
  segment.left = take_if(text, '-');
  segment.zeros = take_if(text, '0') && !segment.left;
  if (starts_with_digit(text)) {
    const auto width = take_number(text);
    if (!width) return too_large();
    segment.width = *width;
  }
  if (!take_if(text, '.')) return std::nullopt;
  segment.precision = 0;
  if (!starts_with_digit(text)) return std::nullopt;
  segment.precision = take_number(text);
  if (!segment.precision) return too_large();
  return std::nullopt;
}

Fault Parser::parse_percent() {
  FormatSegment segment;
  if (rest_.starts_with('{')) return take(), parse_long(std::move(segment));
  if (auto fault = parse_size(segment, rest_)) return fault;
  constexpr std::string_view separators = " :-_,;|";
  const bool separated = rest_.size() > 1 && separators.find(rest_[0]) != separators.npos &&
                         (rest_[1] == 'x' || rest_[1] == 'X');
  if (separated) segment.separator = *take();
  const auto letter = take();
  if (!letter) return ends_too_early('%');
  if (*letter == '%') return literal("%"), std::nullopt;
  const auto known = std::ranges::find(letters, *letter, &Letter::letter);
  if (known == letters.end())
    return fmt::format("it does not know {}", in_quotes(fmt::format("%{}", *letter)));
  segment.field = known->field;
  segments_.push_back(std::move(segment));
  return std::nullopt;
}

Fault Parser::parse_long(FormatSegment segment) {
  const std::size_t end = rest_.find('}');
  if (end == rest_.npos) return "a '}' is missing behind '%{'";
  const std::string_view inner = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  if (auto fault = parse_parts(segment, inner)) return fault;
  segments_.push_back(std::move(segment));
  return std::nullopt;
}

/// NAME[:FILTER][:SIZE]
Fault Parser::parse_parts(FormatSegment& segment, std::string_view inner) {
  const std::size_t colon = std::min(inner.find(':'), inner.size());
  const std::string_view name = inner.substr(0, colon);
  std::string_view rest = inner.substr(std::min(colon + 1, inner.size()));
  constexpr std::string_view user = "user.";
  const auto known = std::ranges::find(field_names, name, &Name::first);
  if (name.starts_with(user)) {
    segment.field = Field::user_property;
    segment.text = name.substr(user.size());
  } else if (known != field_names.end()) {
    segment.field = known->second;
  } else {
    return fmt::format("it does not know {}", in_quotes(fmt::format("%{{{}}}", name)));
  }
  const std::size_t second = std::min(rest.find(':'), rest.size());
  const auto filter = std::ranges::find(filters, rest.substr(0, second), &FilterName::first);
  if (filter != filters.end()) {
    segment.filter = filter->second;
    rest.remove_prefix(std::min(second + 1, rest.size()));
  } else {
    take_if(rest, ':');
  }
  if (auto fault = parse_size(segment, rest)) return fault;
  if (rest.empty()) return std::nullopt;
  return fmt::format("{} is neither one of the filters json, sh, hex, base64, url and csv nor a width",
                     in_quotes(rest));
}

Fault Parser::parse_date() {
  const auto letter = take();
  if (!letter) return ends_too_early('@');
  if (*letter == '@') return literal("@"), std::nullopt;
  if (*letter == 'N') return segments_.push_back({.field = Field::nanoseconds}), std::nullopt;
  if (!is_date_letter(*letter))
    return fmt::format("it does not know {}", in_quotes(fmt::format("@{}", *letter)));
  segments_.push_back({.field = Field::date, .text = std::string{'%', *letter}});
  return std::nullopt;
}

Fault Parser::parse_escape() {
  const auto letter = take();
  if (!letter) return ends_too_early('\\');
  const auto known = std::ranges::find(escapes, *letter, &std::pair<char, char>::first);
  if (known == escapes.end()) return fmt::format("it does not know {}", "'\\" + std::string{*letter} + "'");
  literal({&known->second, 1});
  return std::nullopt;
}

}  // namespace

std::expected<std::vector<FormatSegment>, std::string> parse_format(std::string_view format) {
  return Parser{format}.parse();
}

}  // namespace mq
