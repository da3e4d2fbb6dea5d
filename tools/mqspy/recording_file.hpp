#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include <mqtt/util/error.hpp>

#include "common/diag.hpp"
#include "mqspy/capture.hpp"
#include "mqspy/connections.hpp"
#include "mqspy/json_recording.hpp"

// A capture or JSON lines of mqspy, read as they come.

namespace mq::spy {

class InputFile {
 public:
  /// "-" is standard input.
  [[nodiscard]] static mqtt::Result<InputFile> open(const std::string& path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;

  /// Waits for some bytes; none: the end.
  [[nodiscard]] mqtt::Result<std::size_t> read(mqtt::MutableBytes into);

 private:
  InputFile(int fd, std::string name) : fd_{fd}, name_{std::move(name)} {}

  int fd_;
  std::string name_;
};

/// Where bytes of a file go once it is known what kind it is.
class Intake {
 public:
  /// `recorder` must outlive it.
  explicit Intake(Recorder& recorder) : connections_{recorder}, recording_{recorder} {}

  /// Takes whole records from the front of `data`, or all of it if it is the `last` piece; gives how many
  /// bytes it took, or what is wrong as a sentence.
  [[nodiscard]] std::expected<std::size_t, std::string> take(mqtt::Bytes data, bool last);
  void finish() { connections_.finish(); }

  [[nodiscard]] const CaptureAccount& account() const { return connections_.account(); }
  [[nodiscard]] mqtt::TimePoint last_time() const {
    return std::max(connections_.last_time(), recording_.last_time());
  }
  [[nodiscard]] bool is_capture_file() const { return kind_ == Kind::capture; }

 private:
  enum class Kind : std::uint8_t { unknown, capture, recording, other };

  bool choose(mqtt::Bytes data, bool last);

  Kind kind_ = Kind::unknown;
  CaptureReader reader_;
  Connections connections_;
  JsonRecording recording_;
};

/// Reads the file to its end, or until `go_on`, which is asked behind each piece, says no. Gives the bytes
/// of a record that is cut at the end, or why it cannot go on.
[[nodiscard]] std::expected<std::size_t, Sentence> read_recording(InputFile& file, Intake& intake,
                                                                  const std::function<bool()>& go_on);

}  // namespace mq::spy
