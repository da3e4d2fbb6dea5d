#include "mqsub/options.hpp"

#include <unistd.h>

#include "mqsub/option_parts.hpp"

namespace mq {
namespace {

using mqtt::PropertyPlace;

void declare_view_options(Options& o, SubConfig& config) {
  constexpr std::string_view group = "Output";
  o.flag("--events", config.events)
      .group(group)
      .text("write connected, subscribed, reconnecting, disconnected and summary as JSON lines, too")
      .needs({"--json"});
  o.flag("--message-rate", config.typed.message_rate)
      .group(group)
      .text("write no messages, but each second how many there were")
      .excludes({"-v", "-N", "-0", "-F", "--json", "--csv"});
  o.flag("-w,--watch", config.typed.watch)
      .group(group)
      .text("on a terminal, keep a line for each topic")
      .excludes({"--message-rate", "--csv", "--events", "--pretty", "-N", "-0"});
  o.number("--stats", config.typed.stats_depth, {.min = 1, .max = 100})
      .implied("1")
      .metavar("LEVELS")
      .group(group)
      .text(
          "write no messages, but each second the rates of topics, counted together by their first LEVELS (1 "
          "if no number is given)")
      .excludes({"--message-rate", "--watch", "-v", "-N", "-0", "-F", "--json", "--csv"});
  o.flag("--tree", config.typed.tree)
      .group(group)
      .text("write no messages, but the tree of their topics: live on a terminal, else at the end")
      .excludes({"--message-rate", "--watch", "--stats", "-v", "-N", "-0", "-F", "--json", "--csv"});
}

void choose_view(SubConfig& config) {
  const SubConfig::Typed& typed = config.typed;
  if (typed.message_rate) config.view.kind = ViewKind::message_rate;
  if (typed.watch) config.view.kind = ViewKind::watch;
  if (typed.tree) config.view.kind = ViewKind::tree;
  if (typed.stats_depth) config.view = {.kind = ViewKind::stats, .stats_depth = *typed.stats_depth};
}

}  // namespace

Program mqsub_program() {
  return {.name = "mqsub",
          .summary = "Subscribe to topics of an MQTT broker and write the messages.",
          .usage = "[OPTIONS] -t FILTER [-t FILTER]...",
          .options_files = {"mqsub", "mosquitto_sub"}};
}

void declare_sub_options(Options& o, SubConfig& config) {
  detail::declare_subscription_options(o, config);
  detail::declare_selection_options(o, config);
  declare_output_options(o, config.output);
  declare_view_options(o, config);
  detail::declare_ending_options(o, config);
  detail::declare_action_options(o, config);
  declare_connect_options(o, config.connection,
                          {PropertyPlace::connect, PropertyPlace::will, PropertyPlace::subscribe,
                           PropertyPlace::unsubscribe, PropertyPlace::disconnect});
  declare_log_options(o, config.connection.log);
  o.rule([&o, &config] { return detail::join_subscriptions(o, config); });
  o.rule([&config]() -> std::optional<std::string> {
    config.selection.skip_empty = config.remove_retained;
    choose_view(config);
    config.output.colored = use_color(config.connection.log.color, STDOUT_FILENO);
    return std::nullopt;
  });
  o.rule([&o, &config] { return detail::join_actions(o, config); });
  o.example("mqsub -t 'home/#' -v", "write topic and payload of everything below home");
  o.example("mqsub -t alarm --fresh -C 1 -W 30s", "wait for the next message, at most 30 seconds");
  o.example("mqsub -t 'config/#' --retained -v", "write what the server has retained, and end");
  o.example("mqsub -t 'sensors/+' --json=parse | jq .payload.temp",
            "a JSON object per message; a field of payloads that are JSON");
}

}  // namespace mq
