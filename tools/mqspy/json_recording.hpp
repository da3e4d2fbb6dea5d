#pragma once
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "mqspy/recorder.hpp"

namespace mq::spy {

/// Reads what JsonRecords wrote with the packets' bytes (--json --raw), as if it happened again.
class JsonRecording {
 public:
  explicit JsonRecording(Recorder& recorder) : recorder_{recorder} {}

  /// Takes whole lines from the front of `text`, or all of it if it is the `last` piece; gives how many
  /// bytes it took, or what is wrong with a line as a sentence.
  [[nodiscard]] std::expected<std::size_t, std::string> take(std::string_view text, bool last);
  [[nodiscard]] mqtt::TimePoint last_time() const { return last_time_; }

 private:
  struct Record;

  [[nodiscard]] std::expected<void, std::string> line(std::string_view text);
  [[nodiscard]] std::expected<void, std::string> packet(const Record& record);
  void open(const Record& record, const std::string& name, mqtt::Flow::Start start);
  void close(const Record& record, const std::string& name);

  Recorder& recorder_;
  std::map<std::string, Recorder::Id, std::less<>> ids_;  // of the connections that are open
  std::uint64_t lines_ = 0;
  mqtt::TimePoint last_time_{};
};

}  // namespace mq::spy
