#include "mqspy/selector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include <mqtt/codec/topic.hpp>

#include "mqspy/selector_names.hpp"

namespace mq::spy {
namespace {

bool same_text(const FieldName& name, std::string_view wanted, std::string_view found) {
  return name.field == SelectorField::reason ? same_words(wanted, found) : wanted == found;
}

/// "$share/NAME/" and an empty topic (an alias that is not known) match nothing.
bool matches_filter(std::string_view filter, std::string_view topic) {
  return !topic.empty() && mqtt::topic_matches(mqtt::split_shared(filter).filter, topic);
}

template <class T, class Op>
bool compares(const T& a, Op op, const T& b) {
  switch (op) {
    case Op::less: return a < b;
    case Op::less_equal: return a <= b;
    case Op::greater: return a > b;
    case Op::greater_equal: return a >= b;
    default: return a == b;
  }
}

std::optional<double> number_of(const FieldValue& value) {
  if (value.number) return value.number;
  double number = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto [stopped, fault] = std::from_chars(value.text.data(), end, number);
  if (fault != std::errc{} || stopped != end) return std::nullopt;
  return number;
}

}  // namespace

std::string to_string(const SelectorFault& fault) {
  return fmt::format("column {}: {}", fault.column, fault.what);
}

bool Selector::holds(std::size_t node, const Subject& subject) const {
  const Node& at = nodes_[node];
  const auto part_holds = [this, &subject](std::size_t part) { return holds(part, subject); };
  switch (at.join) {
    case Join::all: return std::ranges::all_of(at.parts, part_holds);
    case Join::any: return std::ranges::any_of(at.parts, part_holds);
    case Join::none: return std::ranges::none_of(at.parts, part_holds);
    case Join::term: break;
  }
  return holds(at.term, subject);
}

/// != and !~ are about all values, of which there has to be one.
bool Selector::holds(const Term& term, const Subject& subject) {
  const bool all = term.op == Operator::unequal || term.op == Operator::not_found;
  const auto fulfilled = [&term](const FieldValue& value) { return fulfils(term, value); };
  if (!all) return subject.any(term.name, fulfilled);
  bool there = false;
  const bool broken = subject.any(term.name, [&](const FieldValue& value) {
    there = true;
    return !fulfilled(value);
  });
  return there && !broken;
}

bool Selector::fulfils(const Term& term, const FieldValue& value) {
  switch (term.op) {
    case Operator::present: return !term.flag || value.number.value_or(0) != 0;
    case Operator::found: return term.regex->found_in(value.text);
    case Operator::not_found: return !term.regex->found_in(value.text);
    case Operator::topic: return matches_filter(term.text, value.text);
    default: break;
  }
  const bool unequal = term.op == Operator::unequal;
  if (!term.number) return same_text(term.name, term.text, value.text) != unequal;
  const auto number = number_of(value);
  if (!number) return unequal;
  return compares(*number, term.op, *term.number) != unequal;
}

}  // namespace mq::spy
