#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/message_format.hpp"
#include "common/options.hpp"
#include "decode/decoding.hpp"
#include "messages/csv_output.hpp"
#include "messages/format_string.hpp"

namespace mq {

enum class OutputForm : std::uint8_t { plain, format, json, json_parsed, csv };

/// How messages are written to stdout.
struct OutputConfig {
  OutputForm form = OutputForm::plain;
  bool with_topic = false;             ///< -v, of the plain form
  std::optional<FormatString> format;  ///< -F
  Decoding decoding;                   ///< --decode
  bool pretty = false;                 ///< JSON over several lines
  bool no_separator = false;           ///< -N
  bool nul_separator = false;          ///< -0
  bool line_buffered = false;          ///< written message by message
  bool colored = false;                ///< topics stand out

  /// As typed, before they are joined.
  struct Typed {
    OutputForm json = OutputForm::plain;
    bool csv = false;
  };
  Typed typed;
};

/// Declares -v, -F, --json and so on, for every tool that shows messages, and the rule that joins them.
/// `config` must outlive parsing.
void declare_output_options(Options& options, OutputConfig& config);

/// Writes messages as the options ask.
class MessageOutput {
 public:
  /// Is told of payloads that a decoder could not read: the decoder's name, the topic and what is wrong.
  using OnFault = std::function<void(std::string_view name, std::string_view topic, std::string_view fault)>;

  /// `config` must outlive it.
  MessageOutput(const OutputConfig& config, PlainEscape escape, OnFault on_fault = {});

  /// Appends what stands before all messages.
  void begin(std::string& out) const;
  /// Appends the whole record.
  void write(std::string& out, const mqtt::PublishView& message, const Reception& received);

 private:
  void write_decoded(std::string& out, mqtt::PublishView message, const Reception& received,
                     const Decoded& decoded);
  [[nodiscard]] bool writes_json() const;
  void write_plainly(std::string& out, const mqtt::PublishView& message, const Reception& received);
  void write_json(std::string& out, const mqtt::PublishView& message, const Reception& received,
                  const DecodedPayload* decoded);
  void write_format(std::string& out, const mqtt::PublishView& message, const Reception& received);

  const OutputConfig& config_;
  OnFault on_fault_;
  PlainFormat plain_;
  std::optional<FormatString> format_;
  MessageLineWriter lines_;
  CsvOutput csv_;
};

}  // namespace mq
