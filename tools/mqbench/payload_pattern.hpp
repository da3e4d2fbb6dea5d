#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "common/template.hpp"
#include "common/wall_time.hpp"

namespace mq::bench {

/// What comes behind the stamp instead of bytes of a size: "@FILE", which is read at once, or a template as
/// those of mqpub, but for {line}: {seq} counts a publisher's messages.
class PayloadPattern {
 public:
  PayloadPattern() = default;
  /// The error is a clause for a person.
  [[nodiscard]] static std::expected<PayloadPattern, std::string> parse(std::string_view text);

  /// As it was given; empty: there is none.
  [[nodiscard]] const std::string& text() const { return text_; }
  /// The messages differ.
  [[nodiscard]] bool varies() const { return fields_ != nullptr; }
  /// If they do not.
  [[nodiscard]] const std::string& body() const { return body_; }
  /// If they do.
  void append(std::string& out, const TemplateValues& values, std::mt19937_64& random,
              WallClockText& clock) const {
    fields_->append(out, values, random, clock);
  }

 private:
  std::string text_;
  std::string body_;
  std::shared_ptr<const Template> fields_;
};

}  // namespace mq::bench
