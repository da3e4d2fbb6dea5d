#pragma once
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/packet.hpp>

namespace mq {

/// What a message must be like: terms joined by "&&", all of which must hold.
///
///     topic=FILTER             the topic matches
///     payload=TEXT             the whole payload
///     payload~REGEX            a POSIX extended regular expression is found in it
///     payload>=20.5            it is a number, and it compares so
///     content-type, response-topic, user.KEY, topic, qos, retain (0 or 1): the same way
///     /a/b                     the payload is JSON and has something at this pointer (RFC 6901)
///     /a/b>=3                  and it compares so; the value is JSON, or text if it is none
///
/// Operators are = != < <= > >= ~ !~. What is not there fulfils none of them. Blanks around terms and
/// operators do not count. A value in double quotes is a JSON string, in which anything can stand.
class Expectation {
 public:
  /// What is wrong is said as the end of a sentence.
  [[nodiscard]] static std::expected<Expectation, std::string> parse(std::string_view text);

  [[nodiscard]] bool matches(const mqtt::PublishView& message) const;

 private:
  using Term = std::function<bool(const mqtt::PublishView&)>;

  std::vector<Term> terms_;
};

}  // namespace mq
