#include <fmt/format.h>

#include "common/value_checks.hpp"
#include "mqspy/options.hpp"

namespace mq::spy {
namespace {

constexpr std::string_view showing = "Showing";

void declare_amount(Options& o, SpyConfig& config) {
  o.parsed_tuple(
       "-v,--verbose", [](Option::Values) { return std::size_t{0}; },
       [&config](Option::Values) -> ValueResult {
         ++config.typed.verbosity;
         return {};
       })
      .kind(ValueKind::none)
      .group(showing)
      .text("each field of a packet with its place; twice (-vv): with its bytes");
  o.flag("-q,--no-acks", config.view.quiet)
      .group(showing)
      .text("no pings, and no acknowledgements that say nothing but success");
  o.size("-s,--snippet", config.view.preview_bytes)
      .metavar("SIZE")
      .group(showing)
      .text("bytes of a payload that are shown");
  o.flag("--show-secrets", config.view.show_secrets)
      .group(showing)
      .text("passwords and authentication data as they are");
}

void declare_shape(Options& o, SpyConfig& config) {
  o.flag("--group", config.typed.group)
      .group(showing)
      .excludes({"--json"})
      .text("one line for a request and its answers, once they are over");
  o.parsed("--ladder",
           [&config](std::string_view client) -> ValueResult {
             config.typed.ladder = true;
             config.ladder_client = client;
             return {};
           })
      .implied("")
      .metavar("CLIENT")
      .group(showing)
      .excludes({"--group", "--json"})
      .text(
          "a sequence diagram, of all or of one client: its id, its address, or the connection's name (c1)");
  o.flag("--mermaid", config.view.mermaid).group(showing).needs({"--ladder"}).text("the diagram for Mermaid");
  o.flag("--stats", config.typed.statistics)
      .group(showing)
      .excludes({"--group", "--ladder"})
      .text("only how much there was in all: packets, latencies, topics, findings, ends");
  o.text("-w,--write", config.capture_file)
      .file()
      .group(showing)
      .must(not_empty)
      .text("write a pcapng file, too; findings are comments of packets");
  o.choice("--pcap-style", config.pcap_style, {{"pdu", PcapStyle::pdu}, {"tcp", PcapStyle::tcp}})
      .metavar("STYLE")
      .group(showing)
      .needs({"--write"})
      .text("packets of MQTT alone, as Wireshark exports them, or with TCP/IP made for them");
}

Shape shape_of(const SpyConfig::Typed& typed) {
  if (typed.statistics) return Shape::statistics;
  if (typed.ladder) return Shape::ladder;
  return typed.group ? Shape::exchanges : Shape::packets;
}

}  // namespace

void declare_view_options(Options& o, SpyConfig& config) {
  o.flag("--json", config.typed.json)
      .group(showing)
      .text("a JSON object per record (mqspy-record.schema.json)");
  o.flag("--raw", config.view.raw)
      .group(showing)
      .needs({"--json"})
      .text("with the bytes of each packet, so that it can be read again");
  declare_amount(o, config);
  o.choice("-t,--time", config.view.time,
           {{"clock", TimeStyle::clock},
            {"relative", TimeStyle::relative},
            {"delta", TimeStyle::delta},
            {"epoch", TimeStyle::epoch}})
      .metavar("STYLE")
      .group(showing)
      .text("the time of day in UTC, seconds since the first line, since the line before, or since 1970");
  declare_shape(o, config);
  o.rule([&config]() -> std::optional<std::string> {
    if (config.typed.verbosity > 0)
      config.view.detail = config.typed.verbosity > 1 ? Detail::hex : Detail::fields;
    config.view.shape = shape_of(config.typed);
    if (config.typed.json) config.view.form = Form::json;
    config.view.only_findings = config.command == Command::lint;
    if (use_color(config.log.color, 1)) config.view.painting = Painting::colored;
    return std::nullopt;
  });
}

}  // namespace mq::spy
