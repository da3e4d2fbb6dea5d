#include <fmt/format.h>

#include "common/readiness.hpp"
#include "common/spelling.hpp"
#include "common/value_checks.hpp"
#include "mqspy/proxy_config.hpp"

namespace mq::spy {
namespace {

constexpr std::string_view proxy_group = "Proxy";
constexpr std::string_view faults_group = "Faults";

ValueResult keep_listen(std::optional<ListenPlace>& target, std::string_view value) {
  const bool bare = !value.contains("://");
  auto place = parse_listen_url(bare ? fmt::format("mqtt://{}", value) : std::string{value});
  if (!place) return std::unexpected(std::move(place.error()));
  target = std::move(*place);
  return {};
}

ValueResult keep_fault(std::vector<FaultRule>& rules, std::string_view value) {
  auto rule = FaultRule::parse(value);
  if (!rule) return std::unexpected(fmt::format("{}: {}", in_quotes(value), to_string(rule.error())));
  rules.push_back(std::move(*rule));
  return {};
}

void declare_places(Options& o, ProxyConfig& config) {
  o.parsed("--listen", [&config](std::string_view value) { return keep_listen(config.listen, value); })
      .metavar("URL")
      .group(proxy_group)
      .text(
          "proxy: where clients connect to: ADDRESS:PORT, mqtts://, ws://, wss:// or unix://; port 0 is any");
  o.flag("--print-address", config.print_address)
      .group(proxy_group)
      .text("write a URL per address to standard output once all listen");
  o.number("--ready-fd", config.ready_fd)
      .metavar("FD")
      .group(proxy_group)
      .text("write a newline to this descriptor once all listen, and close it");
}

void declare_tls(Options& o, ProxyConfig& config) {
  o.text("--cert", config.identity.certificate_file)
      .file()
      .must(not_empty)
      .group(proxy_group)
      .text("the certificate that clients see, with its chain (PEM); default: one of a throw-away CA")
      .needs({"--key"});
  o.text("--key", config.identity.key_file)
      .file()
      .must(not_empty)
      .group(proxy_group)
      .text("its key")
      .needs({"--cert"});
  o.text("--ca-out", config.ca_out)
      .file()
      .must(not_empty)
      .group(proxy_group)
      .text("write the throw-away CA's certificate here, for clients to trust")
      .excludes({"--cert"});
}

void declare_faults(Options& o, ProxyConfig& config) {
  o.parsed("--fault", [&config](std::string_view value) { return keep_fault(config.faults, value); })
      .metavar("RULE")
      .group(faults_group)
      .repeats()
      .text(
          "disturb what a selector chooses: 'SELECTOR [nth=3|every=5|from=2 count=1|p=0.1] do ACTION'; "
          "actions are "
          "delay 200ms~50, drop, dup, reorder 2, corrupt 4:ff, truncate 10, split 2, throttle 2KB/s, hold "
          "5s, "
          "set retain=1, reply rc=0x87, close fin|rst, disconnect 0x8b")
      .example("--fault 'type==PUBACK [nth=3] do drop'");
  o.number("--seed", config.seed)
      .metavar("N")
      .group(faults_group)
      .text("of what is random in faults: the same seed gives the same faults");
}

}  // namespace

void declare_proxy_options(Options& o, ProxyConfig& config) {
  declare_places(o, config);
  declare_server_options(o, config.server);
  declare_tls(o, config);
  declare_faults(o, config);
}

std::optional<std::string> find_proxy_fault(const ProxyConfig& config) {
  if (!config.listen) return "option '--listen' is missing: where do clients connect to?";
  if (!config.server.to) return "option '--to' is missing: where is the server?";
  const bool tls = uses_tls(config.listen->transport);
  if (!tls && !config.ca_out.empty()) return "option '--ca-out' is for --listen mqtts:// and wss://";
  if (!tls && !config.identity.certificate_file.empty())
    return "option '--cert' is for --listen mqtts:// and wss://";
  return check_ready_fd(config.ready_fd);
}

}  // namespace mq::spy
