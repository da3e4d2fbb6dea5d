#include <fmt/format.h>

#include "common/value_checks.hpp"
#include "mqsub/option_parts.hpp"

namespace mq::detail {
namespace {

void declare_exec(Options& o, ExecConfig& exec) {
  constexpr std::string_view group = "Action";
  o.text("--exec", exec.command)
      .metavar("COMMAND")
      .group(group)
      .must(not_empty)
      .text(
          "write no messages, but run this with /bin/sh for each: the payload is on its standard input, "
          "MQ_TOPIC, "
          "MQ_QOS, MQ_RETAIN, MQ_TIME, MQ_CONTENT_TYPE, MQ_PROPERTIES (JSON) and so on are in its "
          "environment; a "
          "message is acknowledged when it has succeeded")
      .excludes({"-v", "-F", "-N", "-0", "--json", "--csv", "--message-rate", "--watch", "--stats", "--tree"})
      .example("-q 1 --exec 'cat >> \"$(basename \"$MQ_TOPIC\")\"'");
  o.number("--exec-jobs", exec.jobs, {.min = 1, .max = 1000})
      .metavar("N")
      .group(group)
      .text("how many commands run at the same time")
      .needs({"--exec"});
  o.duration("--exec-timeout", exec.time_limit)
      .metavar("DURATION")
      .group(group)
      .must(some_time)
      .text("end a command that runs longer; it counts as failed")
      .needs({"--exec"});
  o.choice("--exec-failure", exec.on_failure,
           {{"stop", ExecFailure::stop}, {"continue", ExecFailure::keep_going}})
      .metavar("WHAT")
      .group(group)
      .text(
          "when a command fails: end, leaving its message to the server (exit code 14), or go on without it")
      .needs({"--exec"});
  o.flag("--reply", exec.replies)
      .group(group)
      .text(
          "what the command writes is published to the message's Response Topic, with its Correlation Data "
          "(MQTT 5)")
      .needs({"--exec"})
      .example("-t sums --exec bc --reply");
}

}  // namespace

void declare_action_options(Options& o, SubConfig& config) {
  constexpr std::string_view group = "Action";
  declare_exec(o, config.exec);
  o.text("--record", config.record)
      .file()
      .group(group)
      .must(not_empty)
      .text("also append the messages to this file as JSON lines, which mqpub can publish again");
  o.text("--retained-backup", config.retained_backup)
      .file()
      .group(group)
      .must(not_empty)
      .text(
          "write the retained messages to this file as JSON lines, replace it once all have come, and end; "
          "mqpub "
          "--json -f FILE restores them")
      .excludes({"-R", "--fresh", "--retained-only", "--retain-as-published", "--retain-handling", "--record",
                 "--exec", "-v", "-F", "--json", "--csv", "--message-rate", "--watch", "--stats", "--tree",
                 "-E"});
  o.text("--retained-diff", config.retained_diff)
      .file()
      .group(group)
      .must(not_empty)
      .text(
          "compare the retained messages with such a file: '+ topic' is new, '- topic' is gone, '~ topic' "
          "has "
          "another payload; exit code 13 if they differ")
      .excludes({"-R", "--fresh", "--retained-only", "--retain-as-published", "--retain-handling", "--record",
                 "--exec", "--retained-backup", "--remove-retained", "-v", "-F", "--json", "--csv",
                 "--message-rate", "--watch", "--stats", "--tree", "-E"});
}

std::optional<std::string> join_actions(const Options& options, SubConfig& config) {
  if (options.given("--retained-backup") || options.given("--retained-diff"))
    config.selection.snapshot = true;
  if (options.given("--retained-backup")) config.view.kind = ViewKind::nothing;
  if (!config.exec.replies) return std::nullopt;
  config.connection.needs_v5 = true;
  const mqtt::Version version = config.connection.version.value_or(mqtt::Version::v5);
  if (version == mqtt::Version::v5) return std::nullopt;
  return fmt::format("option '--reply' needs MQTT 5, but option '-V' asks for {}", to_string(version));
}

}  // namespace mq::detail
