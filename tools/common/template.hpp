#pragma once
#include <cstdint>
#include <expected>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/wall_time.hpp"

namespace mq {

/// What a template's fields are made of, for one message.
struct TemplateValues {
  std::uint64_t sequence = 0;  ///< from 1
  std::string_view line{};     ///< the record, or the payload of the command line
  WallTime now{};
};

/// Text with fields in braces; any other brace stands for itself, "{{" for one.
///
///   {seq} {seq:N}       1, 2, 3...; or beginning at N
///   {line}              the line, record or payload that was given
///   {time}              RFC 3339, UTC, with microseconds
///   {time:s} ms us ns   since 1970
///   {uuid}              random, version 4 (RFC 9562)
///   {random:A..B}       a whole number, both ends included; with as many decimals as A or B has
class Template {
 public:
  /// The error is a clause for a person.
  [[nodiscard]] static std::expected<Template, std::string> parse(std::string_view text);

  /// It asks for TemplateValues::line.
  [[nodiscard]] bool has_line() const;

  /// Appends to `out`. `random` and `clock` are shared by all templates of a program.
  void append(std::string& out, const TemplateValues& values, std::mt19937_64& random,
              WallClockText& clock) const;

 private:
  enum class Kind : std::uint8_t { text, sequence, line, time_text, time_number, uuid, random };
  struct Part {
    Kind kind = Kind::text;
    std::string text{};     // Kind::text
    std::int64_t from = 0;  // of a range; a sequence's first; a time's nanoseconds per unit
    std::int64_t to = 0;    // of a range
    unsigned decimals = 0;  // of a range, whose ends are in units of the last one
  };

  [[nodiscard]] static std::expected<Part, std::string> parse_field(std::string_view name,
                                                                    std::string_view argument);
  [[nodiscard]] static std::expected<Part, std::string> parse_range(std::string_view argument);

  std::vector<Part> parts_;
};

}  // namespace mq
