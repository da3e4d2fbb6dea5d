#include "common/value_checks.hpp"
#include "mqsub/option_parts.hpp"

namespace mq::detail {
namespace {

ValueResult keep_expectation(std::optional<Expectation>& target, std::string_view text) {
  auto expectation = Expectation::parse(text);
  if (!expectation) return std::unexpected(std::move(expectation.error()));
  target = std::move(*expectation);
  return {};
}

}  // namespace

void declare_ending_options(Options& o, SubConfig& config) {
  constexpr std::string_view group = "Ending";
  EndingConfig& ending = config.ending;
  o.number("-C,--count", ending.count, {.min = 1}).metavar("N").group(group).text("end after N messages");
  o.duration("-W,--timeout", ending.deadline)
      .metavar("DURATION")
      .group(group)
      .must(some_time)
      .text("end after this time, counted from the start; exit code 9 if -C was not reached");
  o.duration("--idle-timeout", ending.idle_timeout)
      .metavar("DURATION")
      .group(group)
      .must(some_time)
      .text("end when nothing was shown for this time, counted from the subscription");
  o.flag("--fail-on-timeout", ending.fail_on_timeout)
      .group(group)
      .text("exit code 9 also for a timeout that missed no goal");
  o.parsed("--expect",
           [&ending](std::string_view value) { return keep_expectation(ending.expectation, value); })
      .metavar("EXPR")
      .group(group)
      .text(
          "end when a message is like this: topic=FILTER, payload=TEXT, payload~REGEX, /json/pointer>=3 and "
          "so on, joined by &&; exit code 13 if none came")
      .example("--expect 'topic=+/state && /level>=3' -W 10s");
  o.flag("-E", ending.after_subscribing)
      .group(group)
      .text("end as soon as the server has answered the subscriptions; no message is taken")
      .excludes({"--expect", "--retained"});  // but not -C: health checks for mosquitto_sub give both
}

}  // namespace mq::detail
