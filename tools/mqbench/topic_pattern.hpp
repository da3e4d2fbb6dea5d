#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace mq::bench {

/// The topics of a run, as text with fields in braces:
///
///   {run}          the run's id, six hexadecimal digits: what keeps its messages apart from those of others
///   {t} or {t:N}   the topic's number, from 0; N says how many there are
///
/// Without {t} there is one topic.
class TopicPattern {
 public:
  TopicPattern() = default;
  /// The error is a clause for a person.
  [[nodiscard]] static std::expected<TopicPattern, std::string> parse(std::string_view text);

  /// As it was given.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool has_run() const;
  [[nodiscard]] bool is_one() const { return is_one_; }
  /// Of {t:N}; 0: it is not said.
  [[nodiscard]] std::uint32_t count() const { return count_; }

  [[nodiscard]] std::string name(std::uint32_t run, std::uint32_t topic) const;
  /// Of all topics of the run. A level that has {t} in it is a '+', so that it may match topics of others.
  [[nodiscard]] std::string filter(std::uint32_t run) const;

 private:
  std::string text_ = "mqbench/{run}/{t}";
  std::string form_ = text_;  // with {t} for {t:N}
  std::uint32_t count_ = 0;
  bool is_one_ = false;  // which each message asks
};

}  // namespace mq::bench
