#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/time.hpp>

#include "common/connect_options.hpp"
#include "common/options.hpp"
#include "common/record_splitter.hpp"
#include "common/template.hpp"

namespace mq {

/// Where mqpub's payloads come from.
enum class PayloadSource : std::uint8_t {
  message,  ///< -m, and -n: empty
  inputs,   ///< files, FIFOs, standard input: whole or cut into records
};

struct PubConfig {
  ConnectionConfig connection;
  std::string topic;
  mqtt::QoS qos = mqtt::QoS::at_most_once;
  bool retain = false;
  PayloadSource source = PayloadSource::message;
  std::string message;
  std::vector<std::string> inputs;  ///< paths; "-" is standard input
  std::string directory;            ///< its files are the inputs
  Framing framing = Framing::whole;
  std::string separator = "\n";
  bool json = false;  ///< each record is a message as a JSON object
  std::uint64_t repeat = 1;
  mqtt::Duration repeat_delay{};
  mqtt::Duration interval{};               ///< of --rate; 0: as fast as it goes
  bool confirm = false;                    ///< a PINGRESP behind the last QoS 0 message
  std::optional<mqtt::Duration> deadline;  ///< -W
  std::optional<Template> topic_template;  ///< instead of topic
  std::optional<Template> payload_template;
  std::optional<double> replay_speed;                ///< of --replay; 0: as fast as it goes
  std::uint64_t rounds = 1;                          ///< how often to read the inputs; 0: for ever
  std::vector<std::array<std::string, 2>> rewrites;  ///< from, to
  std::string spool;                                 ///< path; empty: none
  bool spool_resume = false;                         ///< leave out what an earlier run has taken of the input
  std::uint64_t skip_records = 0;                    ///< so many, then
  std::optional<LogFormat> summary;                  ///< the account at the end, in any case

  /// Messages come while they are published, and none is known beforehand.
  [[nodiscard]] bool streams() const { return source == PayloadSource::inputs && framing != Framing::whole; }
  /// Some messages may have to be acknowledged.
  [[nodiscard]] bool acknowledged() const { return qos != mqtt::QoS::at_most_once || json; }
  [[nodiscard]] bool many_topics() const { return json || topic_template; }
};

/// The values as they are typed, before source is known.
struct PubTyped {
  std::optional<std::string> topic;
  std::optional<std::string> message;
  std::optional<std::string> delimiter;
  std::optional<std::string> replay;
  bool whole_input = false;
  bool lines = false;
  bool nul_separated = false;
  bool length_prefix = false;
  bool empty = false;
};

[[nodiscard]] Program mqpub_program();
/// Both must outlive parsing.
void declare_pub_options(Options& options, PubConfig& config, PubTyped& typed);

}  // namespace mq
