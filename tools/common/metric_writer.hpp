#pragma once
#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

namespace mq {

/// Of a page of metrics.
inline constexpr std::string_view prometheus_type = "text/plain; version=0.0.4; charset=utf-8";

/// Metrics in the text format of Prometheus, version 0.0.4, one after the other, each after its head. All
/// names begin with `prefix`.
class MetricWriter {
 public:
  MetricWriter(std::string& text, std::string_view prefix) : text_{text}, prefix_{prefix} {}

  /// `name` is without the prefix of all, and kept until the next head.
  void head(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {3}{0} {2}\n# TYPE {3}{0} {1}\n", name, type, help,
                   prefix_);
  }
  /// `labels` is what stands between braces.
  void sample(const auto& value, std::string_view labels = {}, std::string_view suffix = {}) {
    const std::string between = labels.empty() ? "" : fmt::format("{{{}}}", labels);
    fmt::format_to(std::back_inserter(text_), "{}{}{}{} {}\n", prefix_, name_, suffix, between, value);
  }
  void add(std::string_view name, std::string_view type, std::string_view help, const auto& value) {
    head(name, type, help);
    sample(value);
  }
  void gauge(std::string_view name, std::string_view help, const auto& value) {
    add(name, "gauge", help, value);
  }
  void counter(std::string_view name, std::string_view help, const auto& value) {
    add(name, "counter", help, value);
  }

 private:
  std::string& text_;
  std::string_view prefix_;
  std::string_view name_;
};

/// A label's value between quotes.
[[nodiscard]] inline std::string escape_label(std::string_view value) {
  std::string text;
  for (const char each : value) {
    if (each == '\\' || each == '"') text += '\\';
    each == '\n' ? text += "\\n" : text += each;
  }
  return text;
}

}  // namespace mq
