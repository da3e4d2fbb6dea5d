#include <fmt/format.h>

#include <charconv>

#include "common/spelling.hpp"
#include "common/value_checks.hpp"
#include "mqsub/option_parts.hpp"

namespace mq::detail {
namespace {

std::optional<double> decimal(std::string_view text) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "0.1" or "10%"
ValueResult keep_probability(std::optional<double>& probability, std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto value = decimal(percent ? text.substr(0, text.size() - 1) : text);
  const double most = percent ? 100 : 1;
  if (!value || !(*value > 0 && *value <= most))
    return std::unexpected(in_quotes(text) + " is not a probability such as 0.1 or 10%");
  probability = *value / most;
  return {};
}

ValueResult keep_percentage(std::optional<double>& probability, std::string_view text) {
  const auto value = decimal(text);
  if (!value || !(*value >= 0.1 && *value <= 100))
    return std::unexpected(in_quotes(text) + " is not a percentage from 0.1 to 100");
  probability = *value / 100;
  return {};
}

ValueResult keep_filter(std::vector<std::string>& filters, std::string_view text) {
  if (auto fault = filter_fault("filter out", text); !fault.empty()) return std::unexpected(std::move(fault));
  filters.emplace_back(text);
  return {};
}

void declare_retained(Options& o, SubConfig& config) {
  constexpr std::string_view group = "Selection";
  SelectionConfig& selection = config.selection;
  o.flag("-R", selection.skip_retained)
      .group(group)
      .text("leave out messages that the server had retained before");
  o.flag("--fresh", selection.fresh)
      .group(group)
      .text("ask the server for none of its retained messages; before MQTT 5 they are left out")
      .excludes({"--retain-handling"})
      .example("--fresh -C 1");
  o.flag("--retained", selection.snapshot)
      .group(group)
      .text("write the retained messages and end when they have all come")
      .excludes({"-R", "--fresh", "--retained-only", "--retain-as-published", "--retain-handling"})
      .example("-t 'config/#' --retained -v");
  o.flag("--retained-only", selection.retained_only)
      .group(group)
      .text("write retained messages, and end at the first one that is not")
      .excludes({"-R", "--fresh"});
  o.flag("--remove-retained", config.remove_retained)
      .group(group)
      .text("remove the retained messages that come from the server, but for those that -T leaves out")
      .excludes({"--fresh"})
      .example("-t 'old/#' --retained --remove-retained");
  o.flag("--dry-run", config.dry_run)
      .group(group)
      .text("only say how many --remove-retained would remove; -v shows of which topics")
      .needs({"--remove-retained"});
}

}  // namespace

void declare_selection_options(Options& o, SubConfig& config) {
  constexpr std::string_view group = "Selection";
  SelectionConfig& selection = config.selection;
  o.parsed("-T,--filter-out",
           [&selection](std::string_view value) { return keep_filter(selection.filter_out, value); })
      .repeats()
      .metavar("FILTER")
      .group(group)
      .text("leave out messages whose topic matches; may be given many times")
      .example("-t 'bbc/#' -T bbc/radio3");
  declare_retained(o, config);
  o.flag("--changes", selection.changes)
      .group(group)
      .text("leave out a message whose payload is that of the last one shown of its topic");
  o.duration("--every", selection.at_most_every)
      .metavar("DURATION")
      .group(group)
      .must(some_time)
      .text("of each topic show at most one message in this time");
  o.parsed("--sample",
           [&selection](std::string_view value) { return keep_probability(selection.probability, value); })
      .metavar("P")
      .group(group)
      .text("show each message with this probability: 0.1 or 10%");
  o.parsed("--random-filter",
           [&selection](std::string_view value) { return keep_percentage(selection.probability, value); })
      .metavar("PERCENT")
      .group(group)
      .text("the same in percent, from 0.1 to 100")
      .excludes({"--sample"});
}

}  // namespace mq::detail
