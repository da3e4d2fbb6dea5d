#pragma once
#include <cstdint>
#include <string>

#include "common/message_format.hpp"
#include "common/options.hpp"

namespace mq {

enum class OutputForm : std::uint8_t { plain, json, json_parsed };

/// How messages are written to stdout.
struct OutputConfig {
  OutputForm form = OutputForm::plain;
  bool with_topic = false;     ///< -v, of the plain form
  bool no_separator = false;   ///< -N
  bool nul_separator = false;  ///< -0
  bool line_buffered = false;  ///< written message by message
};

/// Declares -v, -N, -0, --json and so on, for every tool that shows messages.
void declare_output_options(Options& options, OutputConfig& config);

/// Writes messages as the options ask.
class MessageOutput {
 public:
  /// `config` must outlive it.
  MessageOutput(const OutputConfig& config, PlainEscape escape);

  /// Appends the whole record. `received` is when the packet was read.
  void write(std::string& out, const mqtt::PublishView& message, WallTime received);

 private:
  const OutputConfig& config_;
  PlainFormat plain_;
  MessageLineWriter lines_;
};

}  // namespace mq
