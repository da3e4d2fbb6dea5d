#include "mqsub/options.hpp"

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
  declare_connect_options(o, config.connection,
                          {PropertyPlace::connect, PropertyPlace::will, PropertyPlace::subscribe,
                           PropertyPlace::unsubscribe, PropertyPlace::disconnect});
  declare_log_options(o, config.connection.log);
  o.rule([&config] { return detail::join_subscriptions(config); });
  o.rule([&config]() -> std::optional<std::string> {
    config.selection.skip_empty = config.remove_retained;
    if (config.typed.message_rate) config.view = ViewKind::message_rate;
    return std::nullopt;
  });
  o.example("mqsub -t 'home/#' -v", "write topic and payload of everything below home");
  o.example("mqsub -t alarm --fresh -C 1 -W 30s", "wait for the next message, at most 30 seconds");
  o.example("mqsub -t 'config/#' --retained -v", "write what the server has retained, and end");
  o.example("mqsub -t 'sensors/+' --json | jq .payload", "a JSON object per message");
}

}  // namespace mq
