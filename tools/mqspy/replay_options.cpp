#include "common/secret_options.hpp"
#include "common/speed.hpp"
#include "common/value_checks.hpp"
#include "mqspy/replay_config.hpp"

namespace mq::spy {
namespace {

constexpr std::string_view replay_group = "Replay";

ValueResult keep_speed(double& target, std::string_view text) {
  const auto speed = parse_speed(text);
  if (!speed) return std::unexpected(speed.error());
  target = *speed;
  return {};
}

}  // namespace

void declare_replay_options(Options& o, ReplayConfig& config) {
  o.text("--conn", config.connection)
      .metavar("NAME")
      .must(not_empty)
      .group(replay_group)
      .text("the connection, as the lines of read name it: c3; or --filter 'client_id==\"plc3\"'");
  o.parsed("--speed", [&config](std::string_view text) { return keep_speed(config.speed, text); })
      .metavar("X|max")
      .default_text("1")
      .group(replay_group)
      .text("so many times as fast as it was recorded; max: as fast as the answers allow")
      .example("--speed max");
  o.duration("--answer-timeout", config.answer_timeout)
      .must(some_time)
      .group(replay_group)
      .text("how long an answer that was recorded is waited for");
  declare_secret_options(o, config.password, "--password", "the password", replay_group, {});
}

}  // namespace mq::spy
