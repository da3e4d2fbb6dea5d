#include "mqspy/fault_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "mqspy/selector_names.hpp"
#include "mqspy/set_field.hpp"

namespace mq::spy {
namespace {

using Kind = FaultAction::Kind;

/// A day: longer is a slip of the finger.
constexpr mqtt::Duration duration_max = std::chrono::hours{24};
constexpr std::size_t reorder_max = 1024;

template <class T>
std::optional<T> number_in(std::string_view text) {
  if (!text.starts_with("0x")) return mqtt::parse_number<T>(text);
  T number{};
  const auto [end, fault] = std::from_chars(text.data() + 2, text.data() + text.size(), number, 16);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> probability_in(std::string_view text) {
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(number >= 0 && number <= 1)) return std::nullopt;
  return number;
}

std::optional<mqtt::Duration> duration_in(std::string_view text) {
  const auto duration = mqtt::parse_duration(text);
  if (!duration || *duration > duration_max) return std::nullopt;
  return duration;
}

/// A number alone has the unit of `like`: "200ms~50".
std::optional<mqtt::Duration> jitter_in(std::string_view text, std::string_view like) {
  if (!mqtt::parse_number<std::uint64_t>(text)) return duration_in(text);
  const std::size_t unit = std::min(like.find_last_of("0123456789.") + 1, like.size());
  return duration_in(fmt::format("{}{}", text, like.substr(unit)));
}

std::optional<std::string> bytes_in(std::string_view hex) {
  if (hex.empty() || hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    std::uint8_t byte = 0;
    const char* const end = hex.data() + at + 2;
    const auto [stopped, fault] = std::from_chars(hex.data() + at, end, byte, 16);
    if (fault != std::errc{} || stopped != end) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

// The actions' values. Each says what it wants if it gets something else.

using Taken = std::expected<void, std::string>;

Taken wants(bool taken, std::string_view what) {
  if (taken) return {};
  return std::unexpected(std::string{what});
}

Taken take_nothing(FaultAction&, std::string_view value) { return wants(value.empty(), "nothing behind it"); }

Taken take_delay(FaultAction& action, std::string_view value) {
  const std::size_t split = value.find('~');
  const std::string_view base = value.substr(0, split);
  const auto duration = duration_in(base);
  const auto jitter = split == value.npos ? mqtt::Duration{} : jitter_in(value.substr(split + 1), base);
  if (!duration || !jitter || *jitter > *duration)
    return wants(false, "a duration, and perhaps how much more or less: 200ms~50");
  action.duration = *duration;
  action.jitter = *jitter;
  return {};
}

Taken take_hold(FaultAction& action, std::string_view value) {
  const auto duration = duration_in(value);
  action.duration = duration.value_or(mqtt::Duration{});
  return wants(duration.has_value(), "a duration: 5s");
}

Taken take_reorder(FaultAction& action, std::string_view value) {
  action.count = value.empty() ? 1 : number_in<std::size_t>(value).value_or(0);
  return wants(action.count > 0 && action.count <= reorder_max, "a number of packets from 1 to 1024");
}

Taken take_truncate(FaultAction& action, std::string_view value) {
  const auto count = number_in<std::size_t>(value);
  action.count = count.value_or(0);
  return wants(count.has_value(), "a number of bytes");
}

Taken take_split(FaultAction& action, std::string_view value) {
  action.count = number_in<std::size_t>(value).value_or(0);
  return wants(action.count > 0, "a number of bytes");
}

Taken take_throttle(FaultAction& action, std::string_view value) {
  if (value.ends_with("/s")) value.remove_suffix(2);
  action.rate = mqtt::parse_size(value).value_or(0);
  return wants(action.rate > 0, "bytes per second: 2KB/s");
}

Taken take_corrupt(FaultAction& action, std::string_view value) {
  const std::size_t split = value.find(':');
  const auto offset = number_in<std::size_t>(value.substr(0, split));
  const auto bytes = split == value.npos ? std::nullopt : bytes_in(value.substr(split + 1));
  if (!offset || !bytes) return wants(false, "an offset and what is to stand there, in hexadecimal: 4:ff");
  action.count = *offset;
  action.bytes = *bytes;
  return {};
}

/// Of what a packet has room for.
std::uint32_t largest(const FieldName& name) {
  using mqtt::PropertyType;
  switch (name.field) {
    case SelectorField::qos: return 3;  // which no packet may have: to see what happens
    case SelectorField::packet_id:
    case SelectorField::keep_alive: return 0xFFFF;
    case SelectorField::reason: return 0xFF;
    case SelectorField::property: break;
    default: return 1;
  }
  const PropertyType type = mqtt::property_info(name.property).type;
  if (type == PropertyType::byte) return 0xFF;
  if (type == PropertyType::two_byte_integer) return 0xFFFF;
  return type == PropertyType::variable_byte_integer ? mqtt::remaining_length_max : 0xFFFFFFFF;
}

std::string_view without_quotes(std::string_view value) {
  const bool in_quotes = value.size() > 1 && value.front() == '"' && value.back() == '"';
  return in_quotes ? value.substr(1, value.size() - 2) : value;
}

Taken take_set(FaultAction& action, std::string_view value) {
  const std::size_t split = value.find('=');
  if (split == value.npos) return wants(false, "a field and its value: retain=1");
  const auto field = find_field(value.substr(0, split));
  if (!field || !can_set(field->name.field))
    return std::unexpected(
        fmt::format("a field that can be set, which {} is not", in_quotes(value.substr(0, split))));
  const std::string_view text = without_quotes(value.substr(split + 1));
  action.change.name = field->name;
  action.change.text = text;
  if (field->kind == FieldKind::text || field->kind == FieldKind::payload) return {};
  const auto number = number_in<std::uint32_t>(text);
  action.change.number = number.value_or(0);
  if (number && *number <= largest(field->name)) return {};
  return std::unexpected(fmt::format("a number up to {} behind \"=\"", largest(field->name)));
}

Taken take_code(FaultAction& action, std::string_view value) {
  const auto code = number_in<std::uint8_t>(value);
  action.reason = static_cast<mqtt::ReasonCode>(code.value_or(0));
  return wants(code.has_value(), "a reason code: 0x8b");
}

Taken take_reply(FaultAction& action, std::string_view value) {
  if (value.empty()) return {};
  if (!value.starts_with("rc=")) return wants(false, "a reason code: rc=0x87");
  return take_code(action, value.substr(3));
}

Taken take_close(FaultAction& action, std::string_view value) {
  action.how = value == "rst" ? CloseKind::rst : CloseKind::fin;
  return wants(value.empty() || value == "fin" || value == "rst", "fin or rst");
}

struct ActionWord {
  std::string_view word;
  Kind kind;
  Taken (*take)(FaultAction&, std::string_view);
};

constexpr std::array action_words{
    ActionWord{"delay", Kind::delay, take_delay},
    ActionWord{"drop", Kind::drop, take_nothing},
    ActionWord{"dup", Kind::dup, take_nothing},
    ActionWord{"reorder", Kind::reorder, take_reorder},
    ActionWord{"corrupt", Kind::corrupt, take_corrupt},
    ActionWord{"truncate", Kind::truncate, take_truncate},
    ActionWord{"split", Kind::split, take_split},
    ActionWord{"throttle", Kind::throttle, take_throttle},
    ActionWord{"hold", Kind::hold, take_hold},
    ActionWord{"set", Kind::set, take_set},
    ActionWord{"reply", Kind::reply, take_reply},
    ActionWord{"close", Kind::close, take_close},
    ActionWord{"disconnect", Kind::disconnect, take_code},
};

class RuleParser {
 public:
  explicit RuleParser(std::string_view text) : text_{text} { made_.text = text; }

  std::expected<FaultRule, SelectorFault> parse() {
    auto front = Selector::parse_front(text_);
    if (!front) return std::unexpected(std::move(front.error()));
    made_.selector = std::move(front->selector);
    at_ = front->size;
    parse_triggers();
    if (!fault_) parse_action();
    if (fault_) return std::unexpected(std::move(*fault_));
    return std::move(made_);
  }

 private:
  void refuse(std::size_t at, std::string what) {
    if (!fault_) fault_ = SelectorFault{at + 1, std::move(what)};
  }

  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  std::string_view take_until(std::string_view ends) {
    skip_blanks();
    const std::size_t start = at_;
    at_ = std::min(text_.find_first_of(ends, start), text_.size());
    return text_.substr(start, at_ - start);
  }

  void parse_triggers() {
    if (at_ == text_.size() || text_[at_] != '[') return;
    ++at_;
    for (skip_blanks(); !fault_; skip_blanks()) {
      if (at_ == text_.size()) return refuse(at_, "\"]\" is missing");
      if (text_[at_] == ']') break;
      parse_trigger();
    }
    ++at_;
    skip_blanks();
  }

  void parse_trigger() {
    skip_blanks();
    const std::size_t start = at_;
    const std::string_view item = take_until(" \t\r\n]");
    const std::size_t split = std::min(item.find('='), item.size());
    const std::string_view name = item.substr(0, split);
    const std::string_view value = split < item.size() ? item.substr(split + 1) : std::string_view{};
    if (name == "p") return take_probability(start, value);
    FaultTrigger& trigger = made_.trigger;
    std::uint64_t* const number = name == "nth"     ? &trigger.nth
                                  : name == "every" ? &trigger.every
                                  : name == "from"  ? &trigger.from
                                  : name == "count" ? &trigger.count
                                                    : nullptr;
    if (!number) return refuse(start, in_quotes(item) + " is none of nth=, every=, from=, count= and p=");
    const auto given = number_in<std::uint64_t>(value);
    if (!given || *given == 0) return refuse(start, in_quotes(item) + " needs a number from 1");
    *number = *given;
  }

  void take_probability(std::size_t start, std::string_view value) {
    const auto p = probability_in(value);
    if (!p) return refuse(start, "p= needs a number from 0 to 1");
    made_.trigger.p = *p;
  }

  void parse_action() {
    const std::size_t start = at_;
    if (take_until(" \t\r\n") != "do") return refuse(start, "\"do\" and an action are missing");
    skip_blanks();
    const std::size_t action_at = at_;
    const std::string_view word = take_until(" \t\r\n");
    const auto* found = std::ranges::find(action_words, word, &ActionWord::word);
    if (found == action_words.end()) return refuse_action(action_at, word);
    skip_blanks();
    const std::size_t value_at = at_;
    const std::size_t end = text_.find_last_not_of(" \t\r\n") + 1;
    const std::string_view value = text_.substr(at_, std::max(at_, end) - at_);
    made_.action.kind = found->kind;
    made_.action.text = text_.substr(action_at, end - action_at);
    if (const Taken taken = found->take(made_.action, value); !taken)
      refuse(value_at, fmt::format("{} wants {}", word, taken.error()));
  }

  void refuse_action(std::size_t at, std::string_view word) {
    std::string known;
    for (const ActionWord& each : action_words)
      known += fmt::format("{}{}", known.empty() ? "" : ", ", each.word);
    refuse(at, fmt::format("{} is none of {}", word.empty() ? "nothing" : in_quotes(word), known));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  FaultRule made_;
  std::optional<SelectorFault> fault_;
};

}  // namespace

std::expected<FaultRule, SelectorFault> FaultRule::parse(std::string_view text) {
  return RuleParser{text}.parse();
}

}  // namespace mq::spy
