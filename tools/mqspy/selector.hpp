#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <mqtt/codec/property.hpp>

#include "messages/regex.hpp"

namespace mq::spy {

/// What selectors can ask for: the paths of JSON lines.
enum class SelectorField : std::uint8_t {
  kind,
  number,
  connection,
  client,
  server,
  transport,
  partial,
  time,
  direction,
  type,
  version,
  length,
  broken,
  left_out,
  qos,
  dup,
  retain,
  packet_id,
  topic,
  topic_by_alias,
  filter,
  filter_qos,
  filter_no_local,
  filter_retain_as_published,
  filter_retain_handling,
  payload,
  property,
  raw,
  answers,
  inflight_from_client,
  inflight_from_server,
  round_trip,
  client_id,
  user_name,
  password,
  clean_start,
  keep_alive,
  will,
  will_topic,
  will_qos,
  will_retain,
  will_payload,
  will_property,
  session_present,
  reason,
  lint,
  severity,
  side,
  offset,
  bytes,
  other,
  message,
  closed_by,
  how,
  life,
  packets_from_client,
  packets_from_server,
  why,
  last_lint,
  rule,
  action,
  original,
  sent,
};

struct FieldName {
  SelectorField field = SelectorField::kind;
  mqtt::PropertyId property{};  ///< of SelectorField::property and will_property
  std::string key{};            ///< of a user property: only those with this key
  bool length = false;          ///< of bytes: how many there are, instead of them
};

/// A value of a field. Flags are 0 and 1, durations microseconds; what has a number may have a name, too.
struct FieldValue {
  std::optional<double> number{};
  std::string_view text{};
};

/// What a selector looks at: a packet that goes by, or a record of it.
class Subject {
 public:
  using Test = std::function<bool(const FieldValue&)>;

  virtual ~Subject() = default;
  /// Calls `test` with each value of the field here, until it says yes; false if it never does.
  [[nodiscard]] virtual bool any(const FieldName& name, const Test& test) const = 0;
};

struct SelectorFault {
  std::size_t column = 1;  ///< of the text, from 1
  std::string what;        ///< the end of a sentence
};

/// Which packets or records are meant:
///
///     type==PUBLISH && topic matches "plant/+/temp" && (qos>0 || !retain) && payload ~ "error"
///
/// Names are the paths of JSON lines. Operators are == != < <= > >=, `matches` with a topic filter, ~ and !~
/// with a POSIX extended regular expression; a name alone, or in has(), asks whether there is one, and of a
/// flag whether it is set. What is not there fulfils none of them. Of a field with several values one has to
/// fulfil a comparison; != and !~ all. Durations and sizes have units: rtt>50ms, len>64K.
class Selector {
 public:
  [[nodiscard]] static std::expected<Selector, SelectorFault> parse(std::string_view text);

  /// The selector that `text` begins with, up to a word or bracket that cannot belong to it.
  struct Front;
  [[nodiscard]] static std::expected<Front, SelectorFault> parse_front(std::string_view text);

  [[nodiscard]] bool matches(const Subject& subject) const { return holds(root_, subject); }

 private:
  friend class SelectorParser;

  enum class Operator : std::uint8_t {
    present,
    equal,
    unequal,
    less,
    less_equal,
    greater,
    greater_equal,
    found,
    not_found,
    topic,
  };
  struct Term {
    FieldName name;
    Operator op = Operator::present;
    bool flag = false;               // present means set
    std::optional<double> number{};  // compared by it
    std::string text{};              // or by this
    std::optional<Regex> regex{};
  };
  enum class Join : std::uint8_t { term, all, any, none };
  struct Node {
    Join join = Join::term;
    Term term{};
    std::vector<std::size_t> parts{};  // indices of nodes_
  };

  [[nodiscard]] bool holds(std::size_t node, const Subject& subject) const;
  [[nodiscard]] static bool holds(const Term& term, const Subject& subject);
  [[nodiscard]] static bool fulfils(const Term& term, const FieldValue& value);

  std::vector<Node> nodes_;
  std::size_t root_ = 0;
};

struct Selector::Front {
  Selector selector;
  std::size_t size = 0;  ///< bytes of the text, with blanks behind them
};

/// `what` of a fault in the option's text: "column 7: ...".
[[nodiscard]] std::string to_string(const SelectorFault& fault);

}  // namespace mq::spy
