#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/json_writer.hpp"
#include "common/sentences.hpp"
#include "common/wall_time.hpp"

namespace mq {

enum class Severity : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { text, json };
enum class ColorMode : std::uint8_t { automatic, always, never };

[[nodiscard]] std::string_view to_string(Severity severity);

struct LogSettings {
  LogFormat format = LogFormat::text;
  ColorMode color = ColorMode::automatic;
  bool quiet = false;  ///< errors only
  bool debug = false;  ///< debug lines too
  bool timed = false;  ///< text lines begin with the time, as JSON lines always do
};

/// Whether to decorate what goes to `fd`: a terminal, unless NO_COLOR is set (no-color.org) or
/// TERM is "dumb".
[[nodiscard]] bool use_color(ColorMode mode, int fd);

/// The program's voice on stderr. One write(2) per line; a line that cannot be written is lost without
/// harm. Text is made safe for a terminal here: no control character gets through.
class Diag {
 public:
  using Clock = std::function<WallTime()>;
  using Fields = std::function<void(JsonWriter&)>;

  /// Takes finished lines, each with its line feed.
  using Writer = std::function<void(std::string_view)>;

  /// `program` begins each text line. `clock` gives the time of lines; `fd` is where to write.
  explicit Diag(std::string program, LogSettings settings = {}, Clock clock = system_clock, int fd = 2);

  /// Lines go there from now on, and no longer to the descriptor, which still decides about colours.
  void set_writer(Writer writer) { writer_ = std::move(writer); }

  void error(const Sentence& sentence) { say(Severity::error, sentence); }
  void warning(const Sentence& sentence) { say(Severity::warning, sentence); }
  void info(const Sentence& sentence) { say(Severity::info, sentence); }
  void debug(const Sentence& sentence) { say(Severity::debug, sentence); }
  void say(Severity severity, const Sentence& sentence);

  /// A life-cycle event: in text its sentence, in JSON {"time":,"level":,"event":NAME,"msg":,FIELDS}.
  void event(Severity severity, std::string_view name, const Sentence& sentence, const Fields& fields = {});

  /// Whether a line of this severity would be written: ask before building a costly one.
  [[nodiscard]] bool shows(Severity severity) const;
  [[nodiscard]] const LogSettings& settings() const { return settings_; }

  [[nodiscard]] static WallTime system_clock();

 private:
  void append_text(Severity severity, const Sentence& sentence);
  void append_json(Severity severity, std::string_view event, const Sentence& sentence, const Fields& fields);
  void write_line();

  std::string program_;
  LogSettings settings_;
  Clock clock_;
  Writer writer_;
  int fd_;
  bool colored_;
  WallClockText time_text_;
  std::string line_;
};

/// Appends {"time":,"event":NAME,FIELDS} and '\n': an event among the data on stdout.
void append_event(std::string& out, WallClockText& clock, WallTime time, std::string_view name,
                  const Diag::Fields& fields);

}  // namespace mq
