#include "common/diag.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

namespace mq {
namespace {

constexpr std::string_view reset = "\x1b[0m";

std::string_view color_of(Severity severity) {
  switch (severity) {
    case Severity::error: return "\x1b[1;31m";
    case Severity::warning: return "\x1b[1;33m";
    case Severity::info: return "\x1b[1m";
    case Severity::debug: break;
  }
  return "\x1b[2m";
}

/// Control characters and bytes that are not UTF-8 are escaped. A backslash is left alone: parts of a
/// sentence may have been escaped where they were quoted.
void append_safe(std::string& out, std::string_view text) {
  for (;;) {
    const std::size_t backslash = text.find('\\');
    out += mqtt::escape_for_terminal(text.substr(0, backslash));
    if (backslash == std::string_view::npos) return;
    out += '\\';
    text.remove_prefix(backslash + 1);
  }
}

void append_string(JsonWriter& json, std::string_view name, std::string_view text) {
  if (mqtt::is_mqtt_utf8(mqtt::as_bytes(text)))
    json.field(name, text);
  else
    json.field(name, mqtt::escape_for_terminal(text));
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::debug: return "debug";
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::error: break;
  }
  return "error";
}

bool use_color(ColorMode mode, int fd) {
  if (mode != ColorMode::automatic) return mode == ColorMode::always;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color && *no_color) return false;
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal && std::string_view{terminal} == "dumb";
  return !dumb && ::isatty(fd) == 1;
}

WallTime Diag::system_clock() { return std::chrono::system_clock::now(); }

Diag::Diag(std::string program, LogSettings settings, Clock clock, int fd)
    : program_{std::move(program)},
      settings_{settings},
      clock_{std::move(clock)},
      fd_{fd},
      colored_{settings.format == LogFormat::text && use_color(settings.color, fd)} {}

bool Diag::shows(Severity severity) const {
  switch (severity) {
    case Severity::error: return true;
    case Severity::warning:
    case Severity::info: return !settings_.quiet;
    case Severity::debug: break;
  }
  return settings_.debug;
}

void Diag::say(Severity severity, const Sentence& sentence) { event(severity, {}, sentence); }

void Diag::event(Severity severity, std::string_view name, const Sentence& sentence, const Fields& fields) {
  if (!shows(severity)) return;
  line_.clear();
  if (settings_.format == LogFormat::json)
    append_json(severity, name, sentence, fields);
  else
    append_text(severity, sentence);
  write_line();
}

void Diag::append_text(Severity severity, const Sentence& sentence) {
  const std::string_view mark = severity == Severity::warning ? "warning: " : "";
  if (settings_.timed) line_ += fmt::format("{} ", time_text_.rfc3339(clock_()));
  if (colored_) line_ += color_of(severity);
  line_ += fmt::format("{}:{} {}", program_, colored_ ? reset : "", mark);
  append_safe(line_, sentence.text);
  if (!sentence.hint.empty()) {
    line_ += "\nhint: ";
    append_safe(line_, sentence.hint);
  }
  line_ += '\n';
}

void Diag::append_json(Severity severity, std::string_view event, const Sentence& sentence,
                       const Fields& fields) {
  JsonWriter json{line_};
  json.begin_object();
  json.field("time", time_text_.rfc3339(clock_()));
  json.field("level", to_string(severity));
  if (!event.empty()) json.field("event", event);
  append_string(json, "msg", sentence.text);
  if (!sentence.hint.empty()) append_string(json, "hint", sentence.hint);
  if (fields) fields(json);
  json.end_object();
  line_ += '\n';
}

void Diag::write_line() {
  if (writer_) return writer_(line_);
  ssize_t written = 0;
  do written = ::write(fd_, line_.data(), line_.size());
  while (written < 0 && errno == EINTR);  // any other failure: there is nobody to tell
}

void append_event(std::string& out, WallClockText& clock, WallTime time, std::string_view name,
                  const Diag::Fields& fields) {
  JsonWriter json{out};
  json.begin_object();
  json.field("time", clock.rfc3339(time));
  json.field("event", name);
  if (fields) fields(json);
  json.end_object();
  out += '\n';
}

}  // namespace mq
