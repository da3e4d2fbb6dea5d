#include "mqspy/selection_options.hpp"

#include <fmt/format.h>

#include "common/spelling.hpp"

namespace mq::spy {
namespace {

constexpr std::string_view selecting_group = "Selecting";

/// Parses with `parse` and gives the result to `keep`.
template <class Parse, class KeepIt>
auto parsed_by(Parse parse, KeepIt keep) {
  return [parse, keep](std::string_view value) -> ValueResult {
    auto made = parse(value);
    if (!made) return std::unexpected(fmt::format("{}: {}", in_quotes(value), to_string(made.error())));
    keep(std::move(*made));
    return {};
  };
}

}  // namespace

void declare_selection_options(Options& o, SelectionConfig& config) {
  o.parsed("--filter",
           parsed_by(Selector::parse, [&config](Selector made) { config.filter = std::move(made); }))
      .metavar("SELECTOR")
      .group(selecting_group)
      .text("show only what it chooses: 'type==PUBLISH && topic matches \"plant/+/temp\" && qos>0'")
      .example("--filter 'client_id==\"plc3\"'");
  o.parsed("--stop-on",
           parsed_by(Selector::parse,
                     [&config](Selector made) { config.wishes.stop_on.push_back(std::move(made)); }))
      .metavar("SELECTOR")
      .group(selecting_group)
      .repeats()
      .text("end once it has chosen something")
      .example("--stop-on 'type==DISCONNECT'");
  o.parsed("--expect",
           parsed_by(Awaited::parse,
                     [&config](Awaited made) { config.wishes.expected.push_back(std::move(made)); }))
      .metavar("SELECTOR")
      .group(selecting_group)
      .repeats()
      .text("'SELECTOR [within 500ms]': end with 0 once all of these have come, with 13 if one has not")
      .example("--expect 'type==PUBACK within 500ms'");
}

}  // namespace mq::spy
